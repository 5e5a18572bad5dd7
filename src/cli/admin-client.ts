/** Commands that talk to a running instance, through its admin API. */

import { z } from 'zod';
import { systemEnvironment } from '#config/env.ts';
import { messageOf } from '#core/errors.ts';
import { unavailableError, usageError } from './exit.ts';

export const DEFAULT_ADMIN = 'http://127.0.0.1:9901';

/** What the help of such a command says of it. */
export const TOKEN_HELP =
  'If the instance has an admin.token, put it into the environment as SIGNALBOX_ADMIN_TOKEN.';

export const ADMIN_HELP = `  --admin  the instance's admin listener; default: ${DEFAULT_ADMIN}

${TOKEN_HELP}`;

/** Thousands of upstreams are not applied in a second. */
const ANSWER_MS_MAX = 30_000;

const Refused = z.object({ error: z.string() });

/**
 * Asks the instance whose admin listener is at the URL `admin`. Throws a SignalboxError that says what is
 * wrong when there is no such answer, or what the instance says when it refuses. `content` is sent as JSON.
 */
export async function askAdmin<Answer>(
  admin: string,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  schema: z.ZodType<Answer>,
  content?: unknown,
): Promise<Answer> {
  if (!URL.canParse(path, admin)) throw usageError(`--admin is no URL: ${JSON.stringify(admin)}`);
  const response = await send(admin, method, path, content === undefined ? null : JSON.stringify(content));
  if (response.status === 401) {
    throw unavailableError(`${admin} asks for its admin.token; put it into SIGNALBOX_ADMIN_TOKEN`);
  }
  const body: unknown = await response.json().catch(() => null);
  const refused = Refused.safeParse(body);
  if (!response.ok && refused.success) throw unavailableError(refused.data.error);
  const answer = schema.safeParse(response.ok ? body : null);
  if (!answer.success) throw unavailableError(`${admin} is not Signalbox's admin listener`);
  return answer.data;
}

async function send(admin: string, method: string, path: string, body: string | null): Promise<Response> {
  const token = systemEnvironment()['SIGNALBOX_ADMIN_TOKEN'];
  try {
    return await fetch(new URL(path, admin), {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === null ? {} : { 'Content-Type': 'application/json' }),
      },
      body,
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
  } catch (error) {
    throw unavailableError(`no instance answers at ${admin} (${reasonOf(error)}); see --admin`, error);
  }
}

/** What fetch itself says is only that it failed. */
function reasonOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}
