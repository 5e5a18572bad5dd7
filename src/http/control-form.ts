/** Small JSON documents that clients send to the control plane: logins and the like. */
import { Readable } from 'node:stream';
import type { RequestHead } from '#actors/request/exchange.ts';
import type { AuthPath } from '#core/auth/pages.ts';
import type { Clock } from '#core/clock.ts';
import { codeOf } from '#core/errors.ts';
import { fieldName } from '#core/field-names.ts';
import { normaliseClientIp } from '#core/limits/client-ip.ts';
import { Places } from '#core/places.ts';
import type { PlainCause, Refusal } from '#core/refusals.ts';
import { clientsFault } from './attempt-failure.ts';
import type { ControlLine } from './control-line.ts';
import type { Local, LocalRequest } from './local.ts';
import type { LimitSessions } from './session-limit.ts';

/** Of a body; far more than anything that is asked for here. */
export const FORM_BYTES_MAX = 16 * 1024;
/** For a body to arrive. */
export const FORM_MS_MAX = 10_000;
/** Of one worker at once, from the head to the answer: fewer than questions in all, so that others get through. */
export const FORMS_MAX = 48;
/** Of one client, so that one that sends slowly leaves room for others. */
export const FORMS_PER_CLIENT_MAX = 24;

/** How often passwords are tried is another matter, and that of the control plane. */
const LIMITED_PATHS: ReadonlySet<string> = new Set<AuthPath>([
  '/auth/refresh',
  '/auth/logout',
  '/auth/logout-all',
  '/auth/password',
]);

const CONTENT_ENCODING = fieldName('content-encoding');
const CONTENT_TYPE = fieldName('content-type');

const NO_STORE = ['Cache-Control', 'no-store'];
const METHOD_NOT_ALLOWED: Refusal = { cause: 'method_not_allowed', allow: 'POST' };

export type FormOptions = {
  readonly control: ControlLine;
  readonly limitSessions: LimitSessions;
  readonly ipv6PrefixBits: number;
  readonly clock: Clock;
};

/** Reads what is posted to these paths, and passes it on; a local for each path. */
export function controlForms(
  paths: readonly string[],
  { control, limitSessions, ipv6PrefixBits, clock }: FormOptions,
): Local[] {
  const places = new Places(FORMS_MAX, FORMS_PER_CLIENT_MAX);
  return paths.map((path) => ({
    name: path,
    root: path,
    refusalHeaders: NO_STORE,
    answers: (head) => head.path === path,
    answer({ id, request, body }, tell) {
      if (request.method !== 'POST') return tell({ refusal: METHOD_NOT_ALLOWED });
      const problem = problemWith(request, body);
      if (problem !== null) return tell(problem);
      const waitSeconds = LIMITED_PATHS.has(path) ? limitSessions(request.clientAddress) : 0;
      if (waitSeconds > 0) {
        return tell({ refusal: { cause: 'rate_limited', retryAfterSeconds: waitSeconds } });
      }
      const client = normaliseClientIp(request.clientAddress, ipv6PrefixBits);
      if (!places.take(client)) return tell('overloaded');
      const end: typeof tell = (answer) => {
        places.leave(client);
        tell(answer);
      };
      readForm(body, clock, (read) => {
        if (typeof read === 'string') return end(read);
        const { headers, clientAddress } = request;
        const question = { method: 'POST', path, headers: headers.flat(), body: read };
        control.ask({ ...question, clientAddress, requestId: id }, end);
      });
    },
  }));
}

/** Everything else below a path: it is ours, and there is nothing. */
export function nothingBelow(path: string): Local {
  return {
    name: path,
    root: path,
    refusalHeaders: NO_STORE,
    answers: (head: RequestHead) => head.path === path || head.path.startsWith(`${path}/`),
    answer: (_: LocalRequest, tell) => tell('no_route'),
  };
}

/** Who has a bearer token to say it all may leave the body out, and then it has no type. */
function problemWith({ headers }: RequestHead, body: LocalRequest['body']): PlainCause | null {
  if (body.bytes === 0) return null;
  const [type = ''] = (headers.list(CONTENT_TYPE) ?? '').split(';', 1);
  if (type.trim().toLowerCase() !== 'application/json') return 'body_not_json';
  if (headers.has(CONTENT_ENCODING)) return 'body_not_json';
  return Number.isFinite(body.bytes) && body.bytes > FORM_BYTES_MAX ? 'body_too_large' : null;
}

/** `told` is called once, with the whole body or with why there is none. */
function readForm(
  body: LocalRequest['body'],
  clock: Clock,
  told: (read: Uint8Array | PlainCause) => void,
): void {
  const reader = body.open();
  if (!(reader instanceof Readable)) {
    told(new Uint8Array(reader ?? []));
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  let isOver = false;
  const end = (read: Uint8Array | PlainCause) => {
    if (isOver) return;
    isOver = true;
    timer.cancel();
    reader.destroy();
    told(read);
  };
  const timer = clock.after(FORM_MS_MAX, () => end('request_timeout'));
  reader.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > FORM_BYTES_MAX) end('body_too_large');
    else chunks.push(chunk);
  });
  reader.on('end', () => end(new Uint8Array(Buffer.concat(chunks))));
  reader.on('error', (error) => end(clientsFault(codeOf(error)) ?? 'malformed_request'));
}
