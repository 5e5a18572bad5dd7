/** An instance, from its settings to its end. Its end is its start read backwards. */
import { type Actor, createActor } from 'xstate';
import { instanceActors, instanceMachine } from '#actors/instance/machine.ts';
import { xstateClock } from '#actors/xstate-clock.ts';
import type { LoadedConfig } from '#config/load.ts';
import { ControlPlane } from '#control/control-plane.ts';
import { probePorts } from '#control/port.ts';
import { Workers } from '#control/workers.ts';
import { systemClock } from '#core/clock.ts';
import { workerSettings } from '#core/settings.ts';
import { createSharedState } from '#shared/state.ts';
import type { Log } from '#telemetry/log.ts';

export type InstanceOptions = {
  readonly config: LoadedConfig;
  readonly log: Log;
  /** Whether another instance may have the ports, which it shares and then leaves to this one. */
  readonly isTakeover?: boolean;
  /** The worker's entry page; another one only in tests. */
  readonly workerEntry?: URL;
};

const WORKER_ENTRY = new URL('./worker.ts', import.meta.url);

export class Instance {
  /** Resolves when the instance serves, or was stopped before; rejects with a SignalboxError if it cannot. */
  readonly ready: Promise<void>;
  /** Whether everything under way was finished, once the instance has stopped. Never rejects. */
  readonly stopped: Promise<{ readonly isClean: boolean }>;
  readonly #options: InstanceOptions;
  readonly #actor: Actor<typeof instanceMachine>;
  readonly #parts = new AsyncDisposableStack();
  readonly #ending = new AbortController();
  #control: ControlPlane | null = null;
  #workers: Workers | null = null;

  constructor(options: InstanceOptions) {
    this.#options = options;
    const opening = Promise.withResolvers<void>();
    const machine = instanceMachine.provide({
      actors: instanceActors({
        start: (_, machine) => {
          const opened = this.#open().finally(() => opening.resolve());
          opened.then(
            () => machine.tell({ type: 'instance.started' }),
            (error: unknown) => machine.tell({ type: 'instance.failed', error }),
          );
          return undefined;
        },
        drain: (_, machine) => {
          options.log.info('draining');
          void this.#workers?.drain().then(() => machine.tell({ type: 'workers.drained' }));
          return undefined;
        },
      }),
    });
    this.#actor = createActor(machine, {
      input: options.config.settings.shutdown,
      clock: xstateClock(systemClock),
    });

    const ready = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<{ isClean: boolean }>();
    this.ready = ready.promise;
    this.stopped = stopped.promise;
    this.#actor.subscribe({
      next: ({ value }) => {
        if (value === 'ready') ready.resolve();
      },
      complete: () => {
        const { isClean, error } = this.#actor.getSnapshot().context;
        if (error === null) ready.resolve();
        else ready.reject(error);
        // Stopped while it opened: what still comes has to be closed, too.
        this.#ending.abort();
        void opening.promise.then(() => this.#parts.disposeAsync()).then(() => stopped.resolve({ isClean }));
      },
    });
    this.#actor.start();
  }

  /** Begins to drain; a second call ends at once. Returns false if it is ending already. */
  stop(): boolean {
    if (this.#actor.getSnapshot().status === 'done') return false;
    this.#actor.send({ type: 'stop.requested' });
    return true;
  }

  /** Puts the configuration file, as it is once the instance serves, into effect. Never rejects: the log tells. */
  async reload(): Promise<void> {
    await this.ready.catch(() => {});
    if (this.#actor.getSnapshot().status !== 'done') await this.#control?.reload();
  }

  async #open(): Promise<void> {
    const { config, log, isTakeover = false, workerEntry: entry = WORKER_ENTRY } = this.#options;
    const { settings } = config;
    const { address, port, workers: wanted, tls } = settings.server;
    const clock = systemClock;
    // A probe of a port that somebody listens on would take connections from them.
    const { reusePort } = isTakeover ? { reusePort: true } : await probePorts(settings.server);
    if (!reusePort && wanted > 1) {
      log.warn('this platform lets no two threads share a port: one worker serves instead of %d', wanted);
    }
    const workers = reusePort ? wanted : 1;

    const shared = createSharedState(settings);
    const isReady = () => this.#actor.getSnapshot().value === 'ready';
    this.#control = this.#parts.use(
      await ControlPlane.open({
        config,
        shared,
        instance: settings.instance.id,
        isReady,
        isTakeover,
        clock,
        log,
        signal: this.#ending.signal,
      }),
    );
    const threads = this.#parts.use(
      new Workers(
        {
          ...this.#control.service,
          settings: workerSettings(settings, workers),
          entry,
          shared,
          reusePort,
          clock,
          log,
        },
        this.#control.table,
      ),
    );
    // First, so that nothing is missed by those that listen before the others do.
    this.#control.direct(threads);
    await threads.start();
    this.#ending.signal.throwIfAborted();
    this.#workers = threads;
    const ports = tls === null ? { port } : { port, tls_port: tls.port ?? port };
    log.info({ address, ...ports, workers }, 'serving');
  }
}
