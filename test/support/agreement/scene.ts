/** Five instances under steady load, before upstreams that note when they are asked. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { NatsBus } from '#bus/nats.ts';
import { parseNatsUrl } from '#bus/settings.ts';
import { HEARTBEAT_SUBJECT, heartbeatType } from '#control/health/heartbeat.ts';
import { systemClock } from '#core/clock.ts';
import { systemRandom } from '#core/random.ts';
import { placeIdOf } from '#core/registry/record.ts';
import { joinCluster } from '../cluster.ts';
import { ask } from '../load.ts';
import { keptLog } from '../log.ts';
import { NatsServer } from '../nats.ts';
import { type Cleanup, type Config, type Instance, until } from '../process.ts';

const HEALTH_PATH = '/healthz';
/** Between two requests of one client: a load that the machine has no trouble with. */
const PAUSE_MS = 10;

/** An upstream that can break: it then resets every connection that asks something. */
export class WatchedUpstream {
  readonly name: string;
  readonly port: number;
  /** When the last request came that was no health check, on the clock of `performance.now`. */
  lastMs = 0;
  isBroken = false;

  static async start(t: Cleanup, name: string): Promise<WatchedUpstream> {
    const server = createServer({ keepAliveTimeout: 60_000 }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const upstream = new WatchedUpstream(name, (server.address() as { port: number }).port);
    server.on('request', (request, response) => {
      if (request.url !== HEALTH_PATH) upstream.lastMs = performance.now();
      if (upstream.isBroken) request.socket.resetAndDestroy();
      else response.end(name);
    });
    return upstream;
  }

  private constructor(name: string, port: number) {
    this.name = name;
    this.port = port;
  }
}

export type Cluster = {
  readonly t: Cleanup;
  readonly nats: NatsServer;
  readonly instances: readonly Instance[];
  readonly upstreams: readonly WatchedUpstream[];
};

export type ClusterOptions = {
  readonly instances: number;
  readonly upstreams: number;
  readonly config?: Config;
  readonly env?: Readonly<Record<string, string>>;
  /** Of the NATS server. */
  readonly natsConfig?: string;
};

export async function startCluster(t: Cleanup, options: ClusterOptions): Promise<Cluster> {
  const nats = await NatsServer.start(t, options.natsConfig);
  const upstreams = await Promise.all(
    Array.from({ length: options.upstreams }, (_, number) => WatchedUpstream.start(t, `u${number}`)),
  );
  const health_check = { type: 'http', path: HEALTH_PATH, interval_ms: 500, timeout_ms: 400 };
  const config = { load_balancing: { health_check }, ...options.config };
  const instances: Instance[] = [];
  // One after the other: starting takes a core each.
  for (let number = 0; number < options.instances; number++) {
    instances.push(await joinCluster(t, nats.url, upstreams, config, options.env));
  }
  const cluster = { t, nats, instances, upstreams };
  await untilAgreed(cluster);
  return cluster;
}

type ClusterAnswer = {
  readonly checksum: string;
  readonly bus: string;
  readonly instances: readonly { readonly id: string; readonly checksum: string }[];
};

/** What every instance says of the cluster. */
export function viewsOf({ instances }: Pick<Cluster, 'instances'>): Promise<ClusterAnswer[]> {
  return Promise.all(instances.map(({ admin }) => jsonOf<ClusterAnswer>(`${admin}/api/cluster`)));
}

/** Whether all instances hear of all, and all serve the same. */
export async function isAgreed(cluster: Pick<Cluster, 'instances'>): Promise<boolean> {
  const views = await viewsOf(cluster);
  const checksums = new Set(
    views.flatMap((view) => [view.checksum, ...view.instances.map((one) => one.checksum)]),
  );
  return checksums.size === 1 && views.every(({ instances }) => instances.length === views.length);
}

export async function untilAgreed(cluster: Cluster): Promise<void> {
  await until('the instances agree', () => isAgreed(cluster), 20_000);
  for (const { name } of cluster.upstreams) await untilVerdict(cluster, name, 'up');
}

export async function untilVerdict({ instances }: Cluster, name: string, verdict: string): Promise<void> {
  await until(`${name} is ${verdict} for all`, async () => {
    const seen = await Promise.all(instances.map((instance) => verdictAt(instance, name)));
    return seen.every((it) => it === verdict);
  });
}

async function verdictAt({ admin }: Instance, name: string): Promise<string | undefined> {
  type Answer = { readonly upstreams: readonly { readonly name: string; readonly verdict: string }[] };
  const { upstreams } = await jsonOf<Answer>(`${admin}/api/upstreams`);
  return upstreams.find((it) => it.name === name)?.verdict;
}

export async function jsonOf<Answer>(url: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(url, init);
  if (!answer.ok) throw new Error(`${init.method ?? 'GET'} ${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

export type Load = {
  readonly counts: { asked: number; failed: number };
  /** Why the first ones failed. */
  readonly failures: readonly string[];
  stop(): Promise<void>;
};

/** Clients that ask every instance again and again, until stopped. */
export function steadyLoad(instances: readonly Instance[], clientsEach = 2): Load {
  const counts = { asked: 0, failed: 0 };
  const failures: string[] = [];
  let isOver = false;
  const client = async ({ url }: Instance) => {
    while (!isOver) {
      const { status, error, body } = await ask(url);
      counts.asked++;
      if (status !== 200) {
        counts.failed++;
        if (failures.length < 10) failures.push(`${status} ${error}${body.slice(0, 200)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  const clients = instances.flatMap((it) => Array.from({ length: clientsEach }, () => client(it)));
  return {
    counts,
    failures,
    async stop() {
      isOver = true;
      await Promise.all(clients);
    },
  };
}

/** Hears what instances say of upstreams: when each first called one down. */
export async function hearOpinions({ t, nats }: Cluster) {
  const prefix = 'signalbox.default';
  const settings = { prefix, clientName: 'listener', ...parseNatsUrl(nats.url) };
  const bus = new NatsBus({ settings, clock: systemClock, random: systemRandom, log: keptLog().log });
  t.after(() => bus[Symbol.asyncDispose]());
  await until('the listener is connected', () => bus.state === 'synced');
  const messages = heartbeatType();
  /** By upstream, with where it is, and instance. */
  const downMs = new Map<string, Map<string, number>>();
  bus.subscribe(HEARTBEAT_SUBJECT, ({ data }) => {
    const decoded = messages.decode(data);
    if (!decoded.ok) return;
    const { from, body } = decoded.message;
    for (const [upstream, verdict] of body.opinions) {
      const ofUpstream = downMs.get(upstream) ?? new Map<string, number>();
      downMs.set(upstream, ofUpstream);
      if (verdict !== 'down') ofUpstream.delete(from);
      else if (!ofUpstream.has(from)) ofUpstream.set(from, performance.now());
    }
  });
  return {
    /** When so many instances had called it down; undefined before. */
    calledDownMs({ name, port }: WatchedUpstream, instances: number): number | undefined {
      const place = placeIdOf({ pool: 'default', name, address: '127.0.0.1', port });
      const times = [...(downMs.get(place)?.values() ?? [])].toSorted((a, b) => a - b);
      return times[instances - 1];
    },
  };
}
