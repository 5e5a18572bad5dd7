// What grows with a configuration and with workers: the cost of finding a route and of choosing an upstream with
// 10, 100 and 1 000 of them, and the CPU time a request with one worker and with two.
//
//   npm run bench:scale -- [--seconds 5] [--rounds 5] [--keep]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Balancer } from '#core/balance/balancer.ts';
import { ringHash } from '#core/balance/consistent-hash.ts';
import { createStrategy } from '#core/balance/create-strategy.ts';
import { systemClock } from '#core/clock.ts';
import { systemRandom } from '#core/random.ts';
import { matchRoute } from '#core/router.ts';
import type { StrategyChoice } from '#core/table.ts';
import { loadView, UpstreamCells } from '#shared/upstream-cells.ts';
import { samplePool, sampleRoute, sampleUpstream } from '#test/support/sample-table.ts';
import { freePort, Program } from './compare/processes.ts';
import { medianOf } from './compare/summary.ts';
import { startUpstream } from './compare/upstream.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    /** Whether the result is one to keep, or that of a try. */
    keep: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);

const COUNTS = [10, 100, 1000] as const;
const CALLS = 200_000;
const CONNECTIONS = 64;
const BIN = fileURLToPath(new URL('../bin/signalbox', import.meta.url));

/** Nanoseconds a call, by how many there are to choose among. */
type Curve = { readonly name: string; readonly ns: readonly number[] };
type Workers = { readonly workers: number; readonly per_second: number; readonly cpu_us: number };

export type Scale = {
  readonly started: string;
  readonly cpu: string;
  readonly node: string;
  readonly counts: readonly number[];
  readonly curves: readonly Curve[];
  readonly workers: readonly Workers[];
};

const STRATEGIES: readonly StrategyChoice[] = [
  { kind: 'round_robin' },
  { kind: 'random' },
  { kind: 'p2c_ewma' },
  { kind: 'consistent_hash', key: { kind: 'client_ip' } },
  { kind: 'least_conn' },
];

const curves: Curve[] = [
  { name: 'route', ns: COUNTS.map((count) => cost(routing(count))) },
  ...STRATEGIES.map((choice) => ({
    name: choice.kind,
    ns: COUNTS.map((count) => cost(picking(choice, count))),
  })),
];
console.log(`nanoseconds, among ${COUNTS.join(', ')}`);
for (const { name, ns } of curves) {
  console.log(`${name.padEnd(16)}${ns.map((it) => it.toFixed(0).padStart(8)).join('')}`);
}
const workers = await measureWorkers();
for (const it of workers) {
  console.log(
    `${it.workers} workers: ${it.per_second.toFixed(0)} requests/s, ${it.cpu_us.toFixed(1)} µs each`,
  );
}
const scale: Scale = {
  started: new Date().toISOString(),
  cpu: cpus()[0]?.model ?? '',
  node: process.versions.node,
  counts: COUNTS,
  curves,
  workers,
};
const results = fileURLToPath(new URL('results/', import.meta.url));
mkdirSync(results, { recursive: true });
writeFileSync(
  join(results, options.keep ? 'scale.json' : 'last-scale.json'),
  `${JSON.stringify(scale, null, 1)}\n`,
);

/** Looks for one route after the other, each with a prefix of its own. */
function routing(count: number): (call: number) => unknown {
  const routes = Array.from({ length: count }, (_, index) =>
    sampleRoute({ name: `r${index}`, match: { host: null, pathPrefix: `/service-${index}`, methods: null } }),
  );
  const queries = routes.map(({ match }) => ({
    method: 'GET',
    host: 'example.com',
    path: `${match.pathPrefix}/a/b`,
  }));
  return (call) => matchRoute(routes, queries[call % count] ?? { method: '', host: '', path: '' });
}

/** As a request does: everything is up, and nothing changes. */
function picking(choice: StrategyChoice, count: number): (call: number) => unknown {
  const upstreams = Array.from({ length: count }, (_, slot) => sampleUpstream({ name: `u${slot}`, slot }));
  const pool = samplePool({ strategy: choice, upstreams });
  const cells = UpstreamCells.create(1);
  for (const { slot } of upstreams) cells.admission.admit(slot, 'up', 0);
  const strategy = createStrategy(choice, loadView(cells, systemClock), systemRandom);
  const balancer = new Balancer(pool, strategy, cells.admission, systemRandom);
  const hashes = Array.from({ length: 1024 }, (_, index) => ringHash(`client_ip 8:10.0.0.${index}`));
  return (call) =>
    balancer.pick({ keyHash: hashes[call % hashes.length] ?? 0, tried: [] }, systemClock.monotonicMs());
}

/** Nanoseconds of CPU time a call: the median over rounds, after one that does not count. */
function cost(call: (index: number) => unknown): number {
  const measured = Array.from({ length: rounds + 1 }, () => {
    const before = process.cpuUsage();
    for (let index = 0; index < CALLS; index++) call(index);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / CALLS;
  });
  return medianOf(measured.slice(1));
}

/** Load generator and upstream share the machine with the workers, so it is the CPU time that tells. */
async function measureWorkers(): Promise<Workers[]> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-scale-'));
  try {
    await using upstream = await startUpstream(folder);
    const figures = new Map<number, { perSecond: number[]; cpuUs: number[] }>();
    for (let round = 0; round < rounds; round++) {
      for (const workers of [1, 2]) {
        const measured = await measureInstance(workers, upstream.ports, folder);
        const kept = figures.get(workers) ?? { perSecond: [], cpuUs: [] };
        figures.set(workers, kept);
        kept.perSecond.push(measured.perSecond);
        kept.cpuUs.push(measured.cpuUs);
      }
    }
    return Array.from(figures, ([workers, { perSecond, cpuUs }]) => ({
      workers,
      per_second: medianOf(perSecond),
      cpu_us: medianOf(cpuUs),
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureInstance(workers: number, ports: readonly number[], folder: string) {
  const [port, adminPort] = await Promise.all([freePort(), freePort()]);
  const file = join(folder, `${workers}.json`);
  const config = {
    server: { listen_address: '127.0.0.1', listen_port: port, workers },
    admin: { listen: `127.0.0.1:${adminPort}` },
    load_balancing: {
      upstreams: ports.map((it, index) => ({ name: `u${index}`, address: '127.0.0.1', port: it })),
    },
    log: { level: 'warn' },
  };
  writeFileSync(file, JSON.stringify(config));
  const cores = Array.from({ length: cpus().length }, (_, core) => core).join(',');
  await using program = new Program(cores, [BIN, 'start', '--config', file], { SIGNALBOX_DATA_DIR: folder });
  await program.listening(port);
  await load(port, 2);
  const beforeUs = program.cpuUs();
  const seconds = Number(options.seconds);
  const requests = await load(port, seconds);
  return { perSecond: requests / seconds, cpuUs: (program.cpuUs() - beforeUs) / requests };
}

async function load(port: number, seconds: number): Promise<number> {
  const args = ['-t', '1', '-c', `${CONNECTIONS}`, '-d', `${seconds}s`, `http://127.0.0.1:${port}/1k`];
  const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(child, 'close');
  return Number(/(\d+) requests in/.exec(text)?.[1]);
}
