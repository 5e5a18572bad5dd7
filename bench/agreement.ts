// `npm run bench:agreement`: five instances under steady load, on a real NATS server and a real Postgres. How
// long until all of them act on what one of them knows, how exact a shared limit is, what is lost when things
// are killed, and what is said at rest.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { accepted, added, drained, killed, loggedOut, reunited } from '#test/support/agreement/figures.ts';
import {
  type Cluster,
  type ClusterOptions,
  startCluster,
  steadyLoad,
} from '#test/support/agreement/scene.ts';
import { TestPostgres } from '#test/support/postgres.ts';
import { type Cleanup, freePort } from '#test/support/process.ts';

const INSTANCES = 5;
const UPSTREAMS = 4;
const TRIES = Number(process.argv[2] ?? 30);
const LIMIT = 1_000;
const REST_SECONDS = 10;

const rows: Record<string, { median: number; p99: number; 'at most': number; unit: string }> = {};

await withCluster({ instances: INSTANCES, upstreams: UPSTREAMS }, async (cluster) => {
  const load = steadyLoad(cluster.instances);
  note('upstream killed → last request, beyond detection', await killed(cluster, TRIES), 50);
  note('upstream added through one → served by all', await added(cluster, TRIES), 100);
  note('drain → no new request anywhere', await drained(cluster, TRIES), 100);
  await load.stop();
  console.log(`under load: ${load.counts.asked} requests, ${load.counts.failed} failed`, load.failures);
});

await withCluster({ instances: INSTANCES, upstreams: UPSTREAMS }, async (cluster) => {
  const [victim, ...others] = cluster.instances;
  const load = steadyLoad(others);
  victim?.child.kill('SIGKILL');
  await delay(2_000);
  await cluster.nats.stop('SIGKILL');
  await delay(2_000);
  await cluster.nats.restart();
  const [upstream] = cluster.upstreams;
  if (upstream) upstream.isBroken = true;
  await delay(2_000);
  await load.stop();
  note('requests lost to kill -9 of an instance, NATS, an upstream', [load.counts.failed], 0, 'requests');
});

await withCluster({ instances: INSTANCES, upstreams: UPSTREAMS }, async (cluster) => {
  const figures: number[] = [];
  for (let nth = 0; nth < 5; nth++) figures.push(await reunited(cluster));
  note('NATS returns → equal checksums', figures, 2_000);
});

{
  const postgres = await TestPostgres.start();
  const options = {
    instances: INSTANCES,
    upstreams: 1,
    config: {
      middleware: { auth: { auth_type: 'jwt' } },
      accounts: { throttle: { attempts: 100_000, attempts_per_ip: 100_000 } },
    },
    env: {
      DATABASE_URL: await postgres.createDatabase(),
      JWT_SECRET: randomBytes(32).toString('base64'),
    },
  };
  await withCluster(options, async (cluster) => {
    note('logout → refused by all', await loggedOut(cluster, TRIES), 100);
  });
  await postgres[Symbol.asyncDispose]();
}

for (const numbers of [
  { requests_per_minute: LIMIT, burst_size: 10 },
  { max_requests: LIMIT, window_seconds: 60 },
]) {
  const config = { middleware: { rate_limit: { ...numbers, key: 'header:x-client' } } };
  await withCluster({ instances: INSTANCES, upstreams: 1, config }, async (cluster) => {
    const headers = { 'X-Client': 'bench' };
    const perSecond = (LIMIT * INSTANCES) / 60;
    // The burst, or the first window, is spent before.
    await accepted(cluster, perSecond, 'burst_size' in numbers ? 5 : 60, headers);
    const count = await accepted(cluster, perSecond, 60, headers);
    const kind = 'burst_size' in numbers ? 'token bucket' : 'sliding window';
    note(
      `${LIMIT} a minute, offered ${INSTANCES} ×: off by (${kind})`,
      [Math.abs(count - LIMIT)],
      10,
      'requests',
    );
  });
}

const monitorPort = await freePort();
await withCluster(
  { instances: INSTANCES, upstreams: 20, natsConfig: `http: "127.0.0.1:${monitorPort}"` },
  async () => {
    const messages = async () => {
      const answer = await fetch(`http://127.0.0.1:${monitorPort}/varz`);
      return ((await answer.json()) as { in_msgs: number }).in_msgs;
    };
    await delay(3_000);
    const before = await messages();
    await delay(REST_SECONDS * 1_000);
    note('messages at rest, 20 upstreams', [((await messages()) - before) / REST_SECONDS], 50, 'a second');
  },
);

console.table(rows);

async function withCluster(
  options: ClusterOptions,
  measure: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  await using ending = new AsyncDisposableStack();
  const t: Cleanup = {
    after: (end) => void ending.defer(() => Promise.resolve((end as () => unknown)()).then(() => {})),
  };
  await measure(await startCluster(t, options));
}

function note(what: string, values: readonly number[], atMost: number, unit = 'ms'): void {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (fraction: number) =>
    Math.round((sorted[Math.ceil(sorted.length * fraction) - 1] ?? 0) * 10) / 10;
  rows[what] = { median: at(0.5), p99: at(0.99), 'at most': atMost, unit };
  console.log(`${what}: ${at(0.5)}, p99 ${at(0.99)} ${unit} of ${values.length}`);
}
