import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { MemoryBus } from '#bus/memory.ts';
import { Health } from '#control/health/health.ts';
import type { Admission } from '#core/balance/candidates.ts';
import { type Clock, systemClock } from '#core/clock.ts';
import type { RegistryReport } from '#core/cluster-view.ts';
import type { HealthCheck } from '#core/health/check.ts';
import { seededRandom } from '#core/random.ts';
import type { Pool, Upstream, UpstreamState } from '#core/table.ts';
import { keptLog } from '#test/support/log.ts';
import { until } from '#test/support/process.ts';
import { sampleCheck } from '#test/support/sample-checks.ts';
import { samplePool, sampleUpstream } from '#test/support/sample-table.ts';

export const REPORT: RegistryReport = { revision: 7, checksum: 'abc', watchAgeMs: 0 };

/** Often, so that real time is enough for a test; but no busy machine makes a probe fail. */
export const QUICK: HealthCheck = sampleCheck({
  pace: { intervalMs: 40, timeoutMs: 5_000, jitter: 0 },
  thresholds: { healthy: 1, unhealthy: 1 },
});

export type Member = {
  readonly health: Health;
  readonly lines: readonly string[];
  /** What the workers of this instance were told last of each upstream, by slot. */
  readonly told: ReadonlyMap<number, Admission>;
  /** All that they were told, in order. */
  readonly history: readonly string[];
};

export type MemberOptions = { readonly observers?: number; readonly bus?: MemoryBus };

/** Instances in one process, on one bus; probes take real time, all else may take the test's. */
export class Cluster {
  readonly bus: MemoryBus;
  readonly #t: TestContext;
  readonly #clock: Clock;

  constructor(t: TestContext, clock: Clock = systemClock) {
    this.#t = t;
    this.#clock = clock;
    this.bus = new MemoryBus({ clock, log: keptLog().log });
    t.after(() => this.bus[Symbol.asyncDispose]());
  }

  join(instance: string, pool: Pool, { observers = 5, bus = this.bus }: MemberOptions = {}): Member {
    const { log, lines } = keptLog();
    const told = new Map<number, Admission>();
    const history: string[] = [];
    const admit = (slot: number, admission: Admission) => {
      told.set(slot, admission);
      history.push(`${slot} ${admission}`);
    };
    const health = new Health({
      bus,
      instance,
      version: '1.0.0',
      observers,
      report: () => REPORT,
      cells: { admission: { admit, isAvoided: () => false }, outcomes: { forget() {} } },
      clock: this.#clock,
      random: seededRandom(1),
      log,
    });
    this.#t.after(() => health[Symbol.dispose]());
    health.watch({ pools: { default: pool } });
    return { health, lines, told, history };
  }
}

/** A server that takes connections until it is closed. */
export class Target {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  connections = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket
        .on('close', () => this.#sockets.delete(socket))
        .on('error', () => {})
        .resume();
    });
  }

  static async start(t: TestContext): Promise<Target> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the system gave no port');
    const target = new Target(server, address.port);
    t.after(() => target.close());
    return target;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async reopen(): Promise<void> {
    await once(this.#server.listen(this.port, '127.0.0.1'), 'listening');
  }
}

/** A pool of upstreams at these ports, in slots from 0. */
export function poolOf(
  ports: readonly number[],
  healthCheck: HealthCheck | null,
  states: UpstreamState[] = [],
): Pool {
  const upstreams = ports.map(
    (port, slot): Upstream =>
      sampleUpstream({ name: `u${slot}`, port, slot, state: states[slot] ?? 'ready' }),
  );
  return samplePool({ upstreams, healthCheck });
}

export function becomes({ told }: Member, slot: number, admission: Admission): Promise<void> {
  return until(`slot ${slot} is ${admission}`, () => told.get(slot) === admission);
}
