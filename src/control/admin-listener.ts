import type { Server } from 'node:http';
import type { AdminRoutes } from '#admin/api.ts';
import { startAdminServer } from '#admin/server.ts';
import { type Clock, sleep } from '#core/clock.ts';
import { codeOf, messageOf } from '#core/errors.ts';
import type { AdminSettings } from '#core/settings.ts';
import type { Log } from '#telemetry/log.ts';
import { portError } from './port.ts';

/** Between two tries at a port that another instance has. */
const TRY_AGAIN_MS = 50;

export type AdminListenerOptions = {
  readonly settings: AdminSettings;
  readonly routes: AdminRoutes;
  /** Whether to wait for another instance to let go of the port, instead of failing. */
  readonly isTakeover: boolean;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Where the admin API is served. The port is not shared, so that who asks knows who answers: of two instances it
 * belongs to the older one until that has ended.
 */
export class AdminListener implements AsyncDisposable {
  readonly #options: AdminListenerOptions;
  readonly #life = new AbortController();
  #server: Server | null = null;
  #waiting: Promise<void> = Promise.resolve();

  /** Resolves when the API is served, or will be; rejects with a SignalboxError that says why it cannot be. */
  static async open(options: AdminListenerOptions): Promise<AdminListener> {
    const listener = new AdminListener(options);
    if (!(await listener.#listens())) listener.#waiting = listener.#wait();
    return listener;
  }

  private constructor(options: AdminListenerOptions) {
    this.#options = options;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    await this.#waiting;
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  async #wait(): Promise<void> {
    const { settings, clock, log } = this.#options;
    log.info({ port: settings.port }, 'admin listener: another instance has it; waiting for that one to end');
    try {
      do {
        await sleep(clock, TRY_AGAIN_MS, this.#life.signal);
        if (this.#life.signal.aborted) return;
      } while (!(await this.#listens()));
      log.info({ port: settings.port }, 'admin listener: taken over');
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'admin listener: could not be taken over');
    }
  }

  /** False if another instance has the port, and is to be waited for. */
  async #listens(): Promise<boolean> {
    const { settings, routes, isTakeover, log } = this.#options;
    try {
      this.#server = await startAdminServer(settings, routes, log);
      return true;
    } catch (error) {
      if (isTakeover && codeOf(error) === 'EADDRINUSE') return false;
      throw portError('admin listener (admin.listen)', settings.address, settings.port, error);
    }
  }
}
