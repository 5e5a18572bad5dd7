import { z } from 'zod';
import { systemEnvironment } from '#config/env.ts';
import { formatEndpoint } from '#core/endpoint.ts';
import { messageOf } from '#core/errors.ts';
import { parseArguments } from './arguments.ts';
import { EXIT, type ExitCode, unavailableError, usageError } from './exit.ts';
import { formatTable } from './text-table.ts';

const DEFAULT_ADMIN = 'http://127.0.0.1:9901';
const ANSWER_MS_MAX = 5_000;

export const help = `Usage: signalbox upstreams list [--admin URL]

Shows the upstreams of a running instance.

  --admin  the instance's admin listener; default: ${DEFAULT_ADMIN}

If the instance has an admin.token, put it into the environment as SIGNALBOX_ADMIN_TOKEN.`;

const UpstreamList = z.object({
  upstreams: z.array(
    z.object({
      pool: z.string(),
      name: z.string(),
      address: z.string(),
      port: z.number(),
      weight: z.number(),
      state: z.string(),
      verdict: z.string(),
      in_flight: z.number(),
    }),
  ),
});

export async function run(args: readonly string[]): Promise<ExitCode> {
  const { values, positionals } = parseArguments('upstreams', {
    args: [...args],
    options: { admin: { type: 'string', default: DEFAULT_ADMIN } },
    allowPositionals: true,
  });
  if (positionals.length !== 1 || positionals[0] !== 'list') {
    throw usageError('say `signalbox upstreams list`');
  }
  const { upstreams } = await ask(values.admin);
  const rows = upstreams.map((it) => [
    it.pool,
    it.name,
    formatEndpoint(it),
    String(it.weight),
    it.state,
    it.verdict,
    String(it.in_flight),
  ]);
  console.log(formatTable(['pool', 'name', 'address', 'weight', 'state', 'verdict', 'in flight'], rows));
  return EXIT.ok;
}

async function ask(admin: string): Promise<z.infer<typeof UpstreamList>> {
  if (!URL.canParse('/api/upstreams', admin)) throw usageError(`--admin is no URL: ${JSON.stringify(admin)}`);
  const token = systemEnvironment()['SIGNALBOX_ADMIN_TOKEN'];
  let response: Response;
  try {
    response = await fetch(new URL('/api/upstreams', admin), {
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
  } catch (error) {
    throw unavailableError(`no instance answers at ${admin} (${reasonOf(error)}); see --admin`, error);
  }
  if (response.status === 401) {
    throw unavailableError(`${admin} asks for its admin.token; put it into SIGNALBOX_ADMIN_TOKEN`);
  }
  const parsed = UpstreamList.safeParse(response.ok ? await response.json().catch(() => null) : null);
  if (!parsed.success) throw unavailableError(`${admin} is not Signalbox's admin listener`);
  return parsed.data;
}

/** What fetch itself says is only that it failed. */
function reasonOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}
