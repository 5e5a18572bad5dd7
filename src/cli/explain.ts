import { z } from 'zod';
import { formatEndpoint } from '#core/endpoint.ts';
import { REFUSALS, type RefusalCause } from '#core/refusals.ts';
import { ADMIN_HELP, askAdmin, DEFAULT_ADMIN } from './admin-client.ts';
import { parseArguments } from './arguments.ts';
import { EXIT, type ExitCode, usageError } from './exit.ts';
import { formatTable } from './text-table.ts';

export const help = `Usage: signalbox explain ID [--admin URL]

Tells what happened to a request, state by state, and what is happening to one that is under way. Its id is
in the X-Request-ID of its answer; a traceparent will do, too. An instance remembers the latest requests that
it has served itself.

${ADMIN_HELP}`;

const Attempt = z.object({
  pool: z.string(),
  upstream: z.string(),
  address: z.string(),
  port: z.number(),
  at_ms: z.number(),
  duration_ms: z.number(),
  status: z.number(),
  error: z.string().nullable(),
});

const Detail = z.object({
  id: z.string(),
  worker: z.number(),
  started_at_ms: z.number(),
  duration_ms: z.number(),
  method: z.string(),
  target: z.string(),
  route: z.string(),
  status: z.number(),
  outcome: z.string(),
  cause: z.string().nullable(),
  host: z.string(),
  client_address: z.string(),
  peer_address: z.string(),
  user_agent: z.string(),
  auth: z.string().nullable(),
  identity: z.string().nullable(),
  limit: z.string(),
  limit_remaining: z.number().nullable(),
  request_bytes: z.number(),
  response_bytes: z.number(),
  states: z.array(z.object({ state: z.string(), at_ms: z.number(), duration_ms: z.number() })),
  attempts: z.array(Attempt),
  trace: z.object({
    parent_span_id: z.string().nullable(),
    sampled: z.boolean(),
    url: z.string().nullable(),
  }),
});

const Found = z.object({ requests: z.array(Detail) });

type RequestDetail = z.output<typeof Detail>;

export async function run(args: readonly string[]): Promise<ExitCode> {
  const { values, positionals } = parseArguments('explain', {
    args: [...args],
    options: { admin: { type: 'string', default: DEFAULT_ADMIN } },
    allowPositionals: true,
  });
  const [given = ''] = positionals;
  const [id] = /[0-9a-f]{32}/i.exec(given) ?? [];
  if (positionals.length !== 1 || id === undefined) {
    throw usageError('say `signalbox explain ID`; an id has 32 hexadecimal digits, as in X-Request-ID');
  }
  const { requests } = await askAdmin(values.admin, 'GET', `/api/requests/${id}`, Found);
  console.log(requests.map(explain).join('\n\n'));
  return EXIT.ok;
}

function explain(request: RequestDetail): string {
  const parts = [headline(request), facts(request), states(request), attempts(request)];
  return parts.filter((part) => part !== '').join('\n\n');
}

function headline({ method, target, status, outcome, cause, duration_ms }: RequestDetail): string {
  const what = `${method || 'a request that made no sense'} ${target}`.trim();
  if (outcome === 'open') return `${what}: under way for ${ms(duration_ms)}`;
  const why = cause === null ? '' : `: ${sentence(cause)}`;
  return `${what}: ${status === 0 ? '' : `${status}, `}${outcome} after ${ms(duration_ms)}${why}`;
}

function facts(request: RequestDetail): string {
  const { peer_address, client_address, limit, limit_remaining, auth, identity, trace } = request;
  const rows: [string, string | null][] = [
    [
      'request',
      `${request.id}, worker ${request.worker}, ${Temporal.Instant.fromEpochMilliseconds(request.started_at_ms)}`,
    ],
    [
      'client',
      peer_address === client_address ? client_address : `${client_address} through ${peer_address}`,
    ],
    ['agent', request.user_agent],
    ['host', request.host],
    ['route', request.route],
    ['identity', auth === null ? null : `${auth}, ${identity ?? ''}`],
    [
      'limit',
      limit === 'none' ? null : `${limit}${limit_remaining === null ? '' : `, ${limit_remaining} left`}`,
    ],
    ['bytes', `${request.request_bytes} received, ${request.response_bytes} sent`],
    ['trace', trace.url],
  ];
  const known = rows.filter(([, value]) => value !== null && value !== '');
  return known.map(([name, value]) => `  ${name.padEnd(10)}${value}`).join('\n');
}

function states({ states }: RequestDetail): string {
  if (states.length === 0) return '';
  const rows = states.map(({ state, at_ms, duration_ms }) => [`  ${state}`, ms(at_ms), ms(duration_ms)]);
  return formatTable(['  state', 'after', 'for'], rows);
}

function attempts({ attempts }: RequestDetail): string {
  if (attempts.length === 0) return '';
  const rows = attempts.map((it) => [
    `  ${it.upstream}`,
    formatEndpoint(it),
    ms(it.at_ms),
    ms(it.duration_ms),
    it.error === null ? (it.status === 0 ? 'under way' : String(it.status)) : `failed: ${sentence(it.error)}`,
  ]);
  return formatTable(['  upstream', 'address', 'after', 'took', 'outcome'], rows);
}

/** A cause in words. */
function sentence(cause: string): string {
  if (cause === 'client_left') return 'the client left';
  return Object.hasOwn(REFUSALS, cause) ? REFUSALS[cause as RefusalCause].detail : cause;
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
}
