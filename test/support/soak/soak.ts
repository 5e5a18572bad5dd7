/** A soak: mixed traffic with faults, and whether everything adds up in the end. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseExposition, type Sample, total } from '../exposition.ts';
import { type Cleanup, type Instance, startInstance, until, writeConfig } from '../process.ts';
import { KINDS, SoakClients, type Tally, TOKEN } from './clients.ts';
import { type FaultCounts, makeFaults, SoakUpstream } from './faults.ts';

const INSTANCE = fileURLToPath(new URL('./instance.ts', import.meta.url));
/** Over all: garbage is collected every two seconds. */
const SAMPLES = 40;
/** For connections that are kept idle to be closed, and memory to be given back. */
const SETTLE_MS_MAX = 20_000;
/** A shorter soak says nothing of heaps. */
const HEAP_MS_MIN = 60_000;
/** Heaps may be larger by this between the third and the last quarter, bytes and share. */
const HEAP_SLACK_BYTES = 8 * 1024 * 1024;
const HEAP_SLACK = 1.1;

export type SoakReport = {
  readonly tally: Tally;
  readonly faults: FaultCounts;
  /** What the instance counted: requests with an outcome, and those lost in its workers' crashes. */
  readonly counted: number;
  readonly lost: number;
  readonly rejected: number;
  /** Of the whole process in use, bytes, over time. */
  readonly heaps: readonly number[];
  readonly rss: readonly number[];
  /** Open file descriptors before, and when all was over. */
  readonly handles: readonly [before: number, after: number];
  /** Everything that does not add up; empty if all does. */
  readonly complaints: readonly string[];
};

export async function soak(t: Cleanup, forMs: number): Promise<SoakReport> {
  const seen = join(dirname(await writeConfig(t, '')), 'seen');
  const upstreams = await Promise.all(
    ['red', 'blue', 'green'].map((name) => SoakUpstream.start(t, name, seen)),
  );
  const instance = await startInstance(t, upstreams, CONFIG, INSTANCE, { NODE_OPTIONS: '--expose-gc' });
  const before = handlesOf(instance);

  const clients = new SoakClients(instance.port);
  for (const [kind, count] of KINDS) clients.start(kind, count);
  const endMs = performance.now() + forMs;
  const faults = makeFaults(instance, upstreams, () => performance.now() > endMs);
  const heaps: number[] = [];
  const rss: number[] = [];
  for (let nth = 0; nth < SAMPLES; nth++) {
    await delay(forMs / SAMPLES);
    const heap = heapOf(await metricsOf(instance));
    if (heap !== null) heaps.push(heap);
    rss.push(await instance.memory());
  }
  const made = await faults;
  await clients.stop();

  const complaints: string[] = [];
  const settles = async (what: string, isTrue: () => boolean | Promise<boolean>) =>
    until(what, isTrue, SETTLE_MS_MAX).catch((error: Error) => complaints.push(error.message));
  for (const name of IN_USE) {
    await settles(`${name} is 0`, async () => total(await metricsOf(instance), name) === 0);
  }
  let after = 0;
  await settles(`the file descriptors are ${before} again`, () => {
    after = handlesOf(instance);
    return after <= before;
  });
  const metrics = await metricsOf(instance);
  const counted = total(metrics, 'http_server_request_duration_seconds_count');
  const lost = total(metrics, 'signalbox_requests_lost_total');
  const rejected = total(metrics, 'signalbox_refusals_total', { signalbox_cause: 'malformed_request' });
  const facts = { tally: clients.tally, faults: made, counted, lost, rejected, heaps, rss };
  complaints.push(...complaintsAbout(facts), ...doubled(seen));
  if (forMs >= HEAP_MS_MIN) complaints.push(...growthOf(heaps));
  if ((await instance.stop()) !== 0) complaints.push('the instance did not end cleanly');
  return { ...facts, handles: [before, after], complaints };
}

const IN_USE = [
  'http_server_active_requests',
  'signalbox_connections',
  'signalbox_upstream_in_flight',
  'http_client_open_connections',
];

const CONFIG = {
  server: { workers: 2 },
  timeouts: { first_byte_ms: 4_000, attempt_ms: 4_000, request_ms: 10_000, idle_ms: 5_000 },
  upstream_connections: { keep_alive_ms: 1_000 },
  routes: [
    { name: 'private', path_prefix: '/private', auth: { valid_tokens: [TOKEN] } },
    { name: 'limited', path_prefix: '/limited', rate_limit: { requests_per_minute: 300, burst_size: 5 } },
    { name: 'rest' },
  ],
};

function complaintsAbout(facts: Omit<SoakReport, 'handles' | 'complaints'>): string[] {
  const { tally, faults, counted, lost, rejected } = facts;
  const complaints = [...tally.wrong];
  const { sent, answered, truncated, cut, left, bad } = tally;
  if (answered + truncated + cut + left !== sent)
    complaints.push('the clients have lost count of their requests');
  // What a worker had not read yet when it crashed, its clients know as cut.
  const unread = sent - counted - lost;
  const crashes = faults['worker crashed'] ?? 0;
  if (unread < 0) complaints.push(`${-unread} more outcomes than requests`);
  if (unread > (crashes > 0 ? cut : 0)) complaints.push(`${unread} requests without an outcome`);
  if (crashes === 0 && cut > 0) complaints.push(`${cut} requests were cut without a crash`);
  if (rejected > bad.sent || rejected < bad.told) {
    complaints.push(`${rejected} requests were rejected, of ${bad.sent} that make no sense`);
  }
  return complaints;
}

/** Of all threads together; null while one is being replaced. */
function heapOf(metrics: readonly Sample[]): number | null {
  const heaps = metrics.filter(({ name }) => name === 'signalbox_heap_used_bytes').map(({ value }) => value);
  return heaps.every((bytes) => bytes > 0) ? heaps.reduce((sum, bytes) => sum + bytes, 0) : null;
}

/** What is in use right after a collection of garbage is the least of many samples. */
function growthOf(heaps: readonly number[]): string[] {
  const quarter = Math.floor(heaps.length / 4);
  const third = Math.min(...heaps.slice(-2 * quarter, -quarter));
  const last = Math.min(...heaps.slice(-quarter));
  const isFlat = last <= third * HEAP_SLACK + HEAP_SLACK_BYTES;
  return isFlat ? [] : [`the heaps grew from ${third} to ${last} bytes`];
}

/** POST requests that came to upstreams more than once, be they the same or not. */
function doubled(file: string): string[] {
  const ids = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const twice = ids.length - new Set(ids).size;
  return twice === 0 ? [] : [`${twice} requests came to upstreams twice that must not be repeated`];
}

async function metricsOf({ admin }: Instance): Promise<Sample[]> {
  return parseExposition(await (await fetch(`${admin}/metrics`)).text());
}

function handlesOf({ child }: Instance): number {
  return readdirSync(`/proc/${child.pid}/fd`).length;
}
