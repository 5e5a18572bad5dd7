import { z } from 'zod';
import { parseEndpoint } from '#config/hosts.ts';
import { type Endpoint, formatEndpoint } from '#core/endpoint.ts';
import { ADMIN_HELP, askAdmin, DEFAULT_ADMIN } from './admin-client.ts';
import { parseArguments } from './arguments.ts';
import { EXIT, type ExitCode, usageError } from './exit.ts';
import { formatTable } from './text-table.ts';
import { unknownWord } from './unknown-word.ts';

export const help = `Usage: signalbox upstreams list
       signalbox upstreams add NAME ADDRESS:PORT [--weight N] [--tls] [--protocol h2]
       signalbox upstreams remove NAME
       signalbox upstreams drain NAME [--deadline-ms N]
       signalbox upstreams maintenance NAME [--deadline-ms N]
       signalbox upstreams ready NAME
       signalbox upstreams weight NAME N

Shows and changes the upstreams of a cluster, through any one of its instances; all of them follow at once.
A drained upstream gets no new requests, and finishes those that it has; one in maintenance is not probed,
either. What is then still under way is cut after the deadline, WebSockets and streams included.

  --pool         the upstream's pool; default: default
  --weight       share of the requests, from 1 to 256; default: 1
  --tls          speak TLS to it, as the configuration of its pool says
  --protocol     http/1.1, or h2 for HTTP/2 and gRPC; default: as its pool says
  --deadline-ms  default: drain_ms of its pool
${ADMIN_HELP}`;

const Shown = z.object({
  pool: z.string(),
  name: z.string(),
  address: z.string(),
  port: z.number(),
  weight: z.number(),
  state: z.string(),
});
const UpstreamList = z.object({
  upstreams: z.array(Shown.extend({ verdict: z.string(), in_flight: z.number() })),
});
const Changed = z.object({ revision: z.number(), upstream: Shown, warnings: z.array(z.string()) });

type Options = {
  readonly admin: string;
  readonly pool: string;
  readonly weight: string | undefined;
  readonly tls: boolean;
  readonly protocol: string | undefined;
  readonly deadlineMs: string | undefined;
};

type Action = {
  /** What is named after the action. */
  readonly operands: readonly string[];
  run(operands: readonly string[], options: Options): Promise<void>;
};

const ACTIONS: Readonly<Record<string, Action>> = {
  list: { operands: [], run: (_, options) => list(options) },
  add: {
    operands: ['NAME', 'ADDRESS:PORT'],
    run: ([name = '', where = ''], options) => add(name, where, options),
  },
  remove: { operands: ['NAME'], run: ([name = ''], options) => change('DELETE', name, undefined, options) },
  drain: { operands: ['NAME'], run: ([name = ''], options) => setState(name, 'drain', options) },
  maintenance: { operands: ['NAME'], run: ([name = ''], options) => setState(name, 'maintenance', options) },
  ready: { operands: ['NAME'], run: ([name = ''], options) => setState(name, 'ready', options) },
  weight: {
    operands: ['NAME', 'N'],
    run: ([name = '', weight = ''], options) =>
      change('PATCH', name, { weight: wholeNumber('the weight', weight) }, options),
  },
};

export async function run(args: readonly string[]): Promise<ExitCode> {
  const { values, positionals } = parseArguments('upstreams', {
    args: [...args],
    options: {
      admin: { type: 'string', default: DEFAULT_ADMIN },
      pool: { type: 'string', default: 'default' },
      weight: { type: 'string' },
      tls: { type: 'boolean', default: false },
      protocol: { type: 'string' },
      'deadline-ms': { type: 'string' },
    },
    allowPositionals: true,
  });
  const [name = '', ...operands] = positionals;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    throw unknownWord('action', name, Object.keys(ACTIONS), 'see `signalbox help upstreams`');
  }
  if (operands.length !== action.operands.length) {
    throw usageError(`say \`${['signalbox upstreams', name, ...action.operands].join(' ')}\``);
  }
  const { admin, pool, weight, tls, protocol, 'deadline-ms': deadlineMs } = values;
  await action.run(operands, { admin, pool, weight, tls, protocol, deadlineMs });
  return EXIT.ok;
}

async function list({ admin }: Options): Promise<void> {
  const { upstreams } = await askAdmin(admin, 'GET', '/api/upstreams', UpstreamList);
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
}

async function add(name: string, where: string, options: Options): Promise<void> {
  const { admin, pool, weight, tls, protocol } = options;
  const endpoint: Endpoint | null = parseEndpoint(where);
  if (endpoint === null)
    throw usageError(`${JSON.stringify(where)} is no ADDRESS:PORT, such as 10.0.0.7:8080`);
  const content = {
    ...{ pool, name, ...endpoint },
    ...(weight === undefined ? {} : { weight: wholeNumber('--weight', weight) }),
    ...(tls ? { tls } : {}),
    ...(protocol === undefined ? {} : { protocol }),
  };
  report(await askAdmin(admin, 'POST', '/api/upstreams', Changed, content), 'added');
}

function setState(name: string, state: 'ready' | 'drain' | 'maintenance', options: Options): Promise<void> {
  const { deadlineMs } = options;
  const deadline =
    deadlineMs === undefined ? {} : { drain_deadline_ms: wholeNumber('--deadline-ms', deadlineMs) };
  return change('PATCH', name, { state, ...deadline }, options);
}

async function change(
  method: 'PATCH' | 'DELETE',
  name: string,
  content: object | undefined,
  { admin, pool }: Options,
): Promise<void> {
  const path = `/api/upstreams/${encodeURIComponent(name)}?${new URLSearchParams({ pool })}`;
  report(await askAdmin(admin, method, path, Changed, content), method === 'DELETE' ? 'removed' : 'changed');
}

function report({ revision, upstream, warnings }: z.output<typeof Changed>, done: string): void {
  const { pool, name, weight, state } = upstream;
  const facts = `${formatEndpoint(upstream)}, weight ${weight}, ${state}`;
  console.log(`${pool}/${name} ${done}: ${facts} (revision ${revision})`);
  for (const warning of warnings) console.error(`signalbox: ${warning}`);
}

function wholeNumber(what: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw usageError(`${what} is a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}
