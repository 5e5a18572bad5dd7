/** The control plane: an instance, from its settings to its end. Its end is its start read backwards. */
import type { Server } from 'node:http';
import { availableParallelism, hostname } from 'node:os';
import { createActor } from 'xstate';
import { Accounts } from '#accounts/accounts.ts';
import { instanceActors, instanceMachine } from '#actors/instance/machine.ts';
import { xstateClock } from '#actors/xstate-clock.ts';
import { keysRoutes } from '#admin/keys.ts';
import { metricsRoutes } from '#admin/metrics.ts';
import { adminRoutes } from '#admin/routes.ts';
import { startAdminServer } from '#admin/server.ts';
import { usersRoutes } from '#admin/users.ts';
import { MemoryBus } from '#bus/memory.ts';
import { claimPort, portError } from '#control/port.ts';
import { answerQuestion, metricsHandlers } from '#control/questions.ts';
import { NO_TOKENS, Workers } from '#control/workers.ts';
import { systemClock } from '#core/clock.ts';
import type { Settings } from '#core/settings.ts';
import type { Table } from '#core/table.ts';
import { createSharedState } from '#shared/state.ts';
import type { Log } from '#telemetry/log.ts';
import { InstanceMetrics } from '#telemetry/metric-producer.ts';
import { instanceSources } from '#telemetry/metric-sources.ts';

export type InstanceOptions = {
  readonly settings: Settings;
  readonly table: Table;
  readonly log: Log;
  /** The worker's entry page; another one only in tests. */
  readonly workerEntry?: URL;
};

export type Instance = {
  /** Begins to drain; a second call ends at once. */
  stop(): void;
  /** Whether everything under way was finished, once the instance has stopped. */
  readonly stopped: Promise<{ isClean: boolean }>;
};

const WORKER_ENTRY = new URL('./worker.ts', import.meta.url);

/** Resolves when the instance serves; rejects with a SignalboxError when it cannot. */
export function runInstance(options: InstanceOptions): Promise<Instance> {
  const { settings, table, log } = options;
  const clock = systemClock;
  const shared = createSharedState(settings);
  const instance = hostname();
  const metrics = new InstanceMetrics(
    instance,
    instanceSources(shared, () => table, clock),
    clock,
  );
  const bus = new MemoryBus({ clock, log });
  let accounts: Accounts | null = null;
  let workers: Workers | null = null;
  let admin: Server | null = null;

  async function start(): Promise<void> {
    const { jwt, accounts: accountSettings, database, ...workerSettings } = settings;
    const { server } = settings;
    const { reusePort } = await claimPort('proxy listener (server.listen_port)', server.address, server.port);
    if (!reusePort && server.workers > 1) {
      log.warn(
        'this platform lets no two threads share a port: one worker serves instead of %d',
        server.workers,
      );
    }
    if (jwt !== null) {
      accounts = await Accounts.open({
        jwt,
        accounts: accountSettings,
        database,
        bus,
        instance,
        cores: availableParallelism(),
        clock,
        log,
      });
      accounts.authority.onChange = () => workers?.announceKeyring();
      accounts.onRevoked = (sessions) => workers?.announceRevoked(sessions);
    }
    admin = await startAdmin(accounts);
    const count = reusePort ? server.workers : 1;
    const questions = new Map([
      ...metricsHandlers(settings.metrics.endpoint, metrics),
      ...(accounts?.questions() ?? []),
    ]);
    workers = await Workers.start(
      {
        entry: options.workerEntry ?? WORKER_ENTRY,
        settings: { ...workerSettings, server: { ...server, workers: count } },
        shared,
        reusePort,
        answer: (question) => answerQuestion(questions, question, log),
        tokens: accounts?.news ?? NO_TOKENS,
        clock,
        log,
      },
      table,
    );
    // Keys and revocations may have come while the workers started, when there was nobody to tell.
    workers.announceKeyring();
    workers.announceRevoked(accounts?.news.revoked() ?? []);
    log.info({ address: server.address, port: server.port, workers: count }, 'serving');
  }

  async function startAdmin(accounts: Accounts | null): Promise<Server> {
    const { address, port } = settings.admin;
    const isReady = () => actor.getSnapshot().value === 'ready';
    const view = { instance, isReady, table: () => table, upstreams: shared.upstreams, clock };
    try {
      // The API's own paths win over a configured one.
      const routes = new Map([
        ...metricsRoutes(settings.metrics, metrics),
        ...adminRoutes(view),
        ...keysRoutes(accounts?.authority ?? null),
        ...usersRoutes(accounts?.administration ?? null),
      ]);
      return await startAdminServer(settings.admin, routes, log);
    } catch (error) {
      throw portError('admin listener (admin.listen)', address, port, error);
    }
  }

  async function end(): Promise<void> {
    await workers?.cut();
    admin?.closeAllConnections();
    admin?.close();
    await accounts?.[Symbol.asyncDispose]();
    await bus[Symbol.asyncDispose]();
  }

  const machine = instanceMachine.provide({
    actors: instanceActors({
      start(_, tell) {
        start().then(
          () => tell({ type: 'instance.started' }),
          (error: unknown) => tell({ type: 'instance.failed', error }),
        );
        return undefined;
      },
      drain(_, tell) {
        log.info('draining');
        void workers?.drain().then(() => tell({ type: 'workers.drained' }));
        return undefined;
      },
    }),
  });
  const actor = createActor(machine, { input: settings.shutdown, clock: xstateClock(clock) });

  return new Promise((resolve, reject) => {
    const stopped = new Promise<{ isClean: boolean }>((done) => {
      actor.subscribe({
        complete: () => {
          const { isClean, error } = actor.getSnapshot().context;
          if (error !== null) reject(error);
          void end().then(() => done({ isClean }));
        },
      });
    });
    actor.subscribe((snapshot) => {
      if (snapshot.value === 'ready')
        resolve({ stop: () => actor.send({ type: 'stop.requested' }), stopped });
    });
    actor.start();
  });
}
