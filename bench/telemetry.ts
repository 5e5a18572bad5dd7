/**
 * What telemetry costs: CPU time of an instance for each request, without telemetry, with records only, and with
 * traces of 1 % and of all requests sent to a collector. The instances take turns, round by round, so that
 * whatever else the machine does befalls them all; each is compared with the one without in its own round.
 *
 *     npm run bench:telemetry [-- ROUNDS]
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, get, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Exchange, RequestHead } from '#actors/request/exchange.ts';
import { stateNumber } from '#actors/request/states.ts';
import type { RequestEvent } from '#actors/request/steps.ts';
import { systemClock } from '#core/clock.ts';
import { Fields } from '#core/fields.ts';
import { RequestRecorder } from '#http/request-recorder.ts';
import { RequestRecords } from '#shared/records/request-records.ts';
import { freePort } from '#test/support/process.ts';
import { sampleRecord } from '#test/support/sample-record.ts';
import { sampleTelemetry } from '#test/support/sample-settings.ts';
import { sampleRoute, sampleUpstream } from '#test/support/sample-table.ts';

/** Of one instance in one round. */
const REQUESTS = 20_000;
const CONNECTIONS = 32;
const ROUNDS_DEFAULT = 10;
/** How often spans are sent, and how long after its load an instance is watched: what was left is sent by then. */
const EXPORT_MS = 500;
const TAIL_MS = EXPORT_MS + 200;
const RECORDS = 200_000;
const BODY = Buffer.alloc(1024, 'x');
const BIN = fileURLToPath(new URL('../bin/signalbox', import.meta.url));

type Variant = { readonly name: string; readonly kept: number; readonly ratio: number | null };
type Running = Variant & { readonly child: ChildProcess; readonly port: number; readonly costsUs: number[] };

const VARIANTS: readonly Variant[] = [
  { name: 'without', kept: 0, ratio: null },
  { name: 'records', kept: 1000, ratio: null },
  { name: 'traces of 1 %', kept: 1000, ratio: 0.01 },
  { name: 'traces of all', kept: 1000, ratio: 1 },
];

if (process.argv[2] === 'peers') await servePeers();
else await main(Number(process.argv[2] ?? ROUNDS_DEFAULT));

async function main(rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  const peers = fork(fileURLToPath(import.meta.url), ['peers']);
  const [{ upstream, collector }] = (await once(peers, 'message')) as [Peers];
  const running: Running[] = [];
  // Nobody is left behind by a measurement that fails.
  process.on('exit', () => {
    for (const { child } of running) child.kill('SIGKILL');
    peers.kill();
    rmSync(folder, { recursive: true });
  });
  for (const variant of VARIANTS) running.push(await start(variant, folder, upstream, collector));
  // Once without counting, for the compilers.
  for (const { port } of running) await load(port);
  for (let round = 0; round < rounds; round++) {
    for (const { child, port, costsUs } of running) {
      const beforeMs = cpuMs(child);
      await load(port);
      await delay(TAIL_MS);
      costsUs.push(((cpuMs(child) - beforeMs) * 1000) / REQUESTS);
    }
  }
  report(running);
  console.log(`\nwriting a record by itself: ${median(Array.from({ length: 9 }, recordUs)).toFixed(2)} µs`);
  process.exit(0);
}

function report(running: readonly Running[]): void {
  const without = running[0]?.costsUs ?? [];
  console.log(`CPU time a request, medians of ${without.length} rounds of ${REQUESTS} requests\n`);
  for (const { name, costsUs } of running) {
    const added = (median(costsUs.map((us, round) => us / (without[round] ?? Number.NaN))) - 1) * 100;
    const sign = added >= 0 ? '+' : '';
    console.log(
      `${name.padEnd(14)} ${median(costsUs).toFixed(1).padStart(6)} µs  ${sign}${added.toFixed(0)} %`,
    );
  }
}

async function start(
  variant: Variant,
  folder: string,
  upstream: number,
  collector: number,
): Promise<Running> {
  const [port, admin] = [await freePort(), await freePort()];
  const file = join(folder, `${variant.name.replaceAll(/\W/g, '')}.yaml`);
  const config = {
    server: { listen_address: '127.0.0.1', listen_port: port, workers: 1 },
    admin: { listen: `127.0.0.1:${admin}` },
    telemetry: { requests_kept: variant.kept },
    load_balancing: { upstreams: [{ name: 'upstream', address: '127.0.0.1', port: upstream }] },
  };
  writeFileSync(file, JSON.stringify(config));
  const traces = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector}`,
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: String(variant.ratio),
    OTEL_BSP_MAX_QUEUE_SIZE: '100000',
    OTEL_BSP_SCHEDULE_DELAY: String(EXPORT_MS),
  };
  const env = { ...process.env, SIGNALBOX_DATA_DIR: folder, ...(variant.ratio === null ? {} : traces) };
  const child = spawn(BIN, ['start', '--config', file], { env, stdio: 'ignore' });
  const isReady = () =>
    fetch(`http://127.0.0.1:${admin}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) await delay(50);
  return { ...variant, child, port, costsUs: [] };
}

/** What a request with one attempt has to do for its record: CPU time, microseconds. */
function recordUs(): number {
  const records = RequestRecords.create({ workers: 1, kept: 1000, inFlight: 1 });
  const recorder = new RequestRecorder(records.writer(0), sampleTelemetry(), false, systemClock);
  const [route, upstream] = [sampleRoute(), sampleUpstream()];
  const headers = Fields.of(['Host', 'localhost', 'User-Agent', 'curl/8.14.1']);
  const request = { ...sampleRecord(), headers, peerTrusted: false, tls: null } as unknown as RequestHead;
  const steps = [
    ['seeking.authenticating', { type: 'xstate.init' }],
    ['seeking.limiting', { type: 'identity.proven', identity: null }],
    ['seeking.selecting', { type: 'limit.passed' }],
    ['seeking.forwarding', { type: 'upstream.selected', upstream }],
    ['responding', { type: 'attempt.answered', status: 200 }],
    ['responded', { type: 'response.finished' }],
  ] as unknown as [string, RequestEvent][];
  const before = process.cpuUsage();
  for (let served = 0; served < RECORDS; served++) {
    const { trace, record } = recorder.begin(request, route, systemClock.monotonicMs());
    const exchange = { trace, record, route } as Exchange;
    for (const [state, event] of steps) {
      recorder.observe(exchange, stateNumber(state), event);
      if (state === 'seeking.forwarding') recorder.attemptBegun(exchange, upstream);
    }
    recorder.ended(record, 'responded', 200, 0);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / RECORDS;
}

/** Of all threads, milliseconds; nanoseconds are in schedstat, of which every thread has its own. */
function cpuMs({ pid }: ChildProcess): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).reduce((sum, task) => {
    const [ns] = readFileSync(join(tasks, task, 'schedstat'), 'utf8').split(' ');
    return sum + Number(ns) / 1e6;
  }, 0);
}

async function load(port: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let begun = 0;
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: `/things/${begun}`, agent }, (response) => {
        response.resume().on('end', resolve);
      }).on('error', reject);
    });
  const client = async () => {
    while (begun++ < REQUESTS) await ask();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  agent.destroy();
}

type Peers = { readonly upstream: number; readonly collector: number };

/** The upstream and the collector, in a process of their own. */
async function servePeers(): Promise<void> {
  const upstream = createServer((_, response) => response.end(BODY));
  const collector = createServer((request, response) => {
    request.resume().on('end', () => response.end());
  });
  const [upstreamPort, collectorPort] = [await portOf(upstream), await portOf(collector)];
  process.send?.({ upstream: upstreamPort, collector: collectorPort });
}

async function portOf(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
