import type { NatsConnection } from 'nats';
import { type Clock, sleep } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import { integerBelow, type Random } from '#core/random.ts';
import type { BusSettings } from '#core/settings.ts';
import type { Log } from '#telemetry/log.ts';
import { BusError } from './errors.ts';
import { dial } from './nats-dial.ts';
import { NatsSession } from './nats-session.ts';
import { nameOf } from './settings.ts';
import { retryMs, unlessAborted } from './waiting.ts';

/** A connection that has lasted this long was a good one; the attempt after it is a first one. */
const STABLE_MS = 5_000;

export type NatsLinkOptions = {
  readonly settings: BusSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly opened: (session: NatsSession) => void;
  /** There is no connection any more, or still none. */
  readonly failed: () => void;
};

/** Has a connection or tries to get one, for as long as it lives. */
export class NatsLink {
  readonly #options: NatsLinkOptions;
  readonly #life = new AbortController();
  readonly #ended: Promise<void>;
  #session: NatsSession | null = null;
  #next = waiter<NatsSession>();
  #problem = 'not connected yet';

  constructor(options: NatsLinkOptions) {
    this.#options = options;
    this.#ended = this.#run(this.#life.signal);
  }

  get session(): NatsSession | null {
    return this.#session;
  }

  requireOpen(): void {
    this.#life.signal.throwIfAborted();
  }

  requireSession(): NatsSession {
    this.requireOpen();
    if (this.#session !== null) return this.#session;
    throw new BusError('bus_isolated', `no connection to the bus: ${this.#problem}`);
  }

  /** The session there is, or the next one; rejects when the link is closed. */
  async waitForSession(signal: AbortSignal): Promise<NatsSession> {
    this.requireOpen();
    return unlessAborted(this.#next.promise, signal);
  }

  async close(): Promise<void> {
    this.#life.abort(new BusError('bus_closed', 'the bus was closed'));
    this.#next.reject(this.#life.signal.reason);
    await this.#ended;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    for (let failures = 0; !signal.aborted; failures++) {
      const startMs = clock.monotonicMs();
      try {
        await this.#connect(signal);
      } catch (error) {
        if (!signal.aborted) this.#fail(messageOf(error));
      }
      if (clock.monotonicMs() - startMs >= STABLE_MS) failures = 0;
      await sleep(clock, retryMs(random, failures), signal);
    }
  }

  /** Connects, and stays until the connection is lost; rejects if there was none. */
  async #connect(signal: AbortSignal): Promise<void> {
    const { log, opened } = this.#options;
    const session = await NatsSession.open(await this.#dial(signal), log);
    if (session.lost.aborted) throw session.lost.reason;
    const lost = Promise.withResolvers<void>();
    session.lost.addEventListener('abort', () => {
      // At once, so that nobody is given a session that is lost.
      this.#session = null;
      this.#next = waiter();
      if (!signal.aborted) this.#fail(`connection lost: ${messageOf(session.lost.reason)}`);
      lost.resolve();
    });
    const leave = () => session.close('the bus was closed');
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) return leave();

    this.#session = session;
    this.#problem = '';
    log.info({ server: session.connection.getServer() }, 'bus: connected');
    opened(session);
    this.#next.resolve(session);
    await lost.promise;
    signal.removeEventListener('abort', leave);
  }

  /** Tries each server once, in random order so that instances spread. */
  async #dial(signal: AbortSignal): Promise<NatsConnection> {
    const { settings, random } = this.#options;
    const problems: string[] = [];
    for (const server of shuffled(settings.servers, random)) {
      try {
        return await dial(server, settings, signal);
      } catch (error) {
        signal.throwIfAborted();
        problems.push(`${nameOf(server)}: ${messageOf(error)}`);
      }
    }
    throw new BusError('bus_isolated', `cannot connect to ${problems.toSorted().join('; ')}`);
  }

  #fail(problem: string): void {
    if (problem !== this.#problem) this.#options.log.warn('bus: %s', problem);
    this.#problem = problem;
    this.#options.failed();
  }
}

/** A promise to settle later, and no error if nobody waits for it. */
function waiter<T>(): PromiseWithResolvers<T> {
  const resolvers = Promise.withResolvers<T>();
  resolvers.promise.catch(() => {});
  return resolvers;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = [...items];
  return items.flatMap(() => order.splice(integerBelow(random, order.length), 1));
}
