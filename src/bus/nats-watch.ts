import { type Clock, sleep } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { Random } from '#core/random.ts';
import type { Log } from '#telemetry/log.ts';
import type { BusCounts, Watch, WatchEvent } from './contract.ts';
import type { NatsLink } from './nats-link.ts';
import type { NatsSession } from './nats-session.ts';
import { retryMs } from './waiting.ts';

export type NatsWatchOptions = {
  readonly bucket: string;
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counts: BusCounts;
  /** Follows the bucket until its place in it is lost, and rejects with why. */
  readonly follow: (
    session: NatsSession,
    tell: (event: WatchEvent) => void,
    confirm: () => void,
    signal: AbortSignal,
  ) => Promise<never>;
  /** Must not throw. */
  readonly listener: (event: WatchEvent) => void;
  /** Nothing is missing any more, or something may be. */
  readonly current: () => void;
  readonly behind: () => void;
  readonly ended: () => void;
};

/** Follows a bucket over all connections, and begins again wherever it lost its place. */
export class NatsWatch implements Watch {
  readonly #options: NatsWatchOptions;
  readonly #life = new AbortController();
  /** Whose connection its latest content came over, while nothing is missing since. */
  #current: NatsSession | null = null;
  #confirmedMs = -Infinity;
  #revision = 0;
  #failures = 0;
  #problem = '';

  constructor(options: NatsWatchOptions) {
    this.#options = options;
    void this.#run(this.#life.signal);
  }

  get ageMs(): number {
    return this.#options.clock.monotonicMs() - this.#confirmedMs;
  }

  get revision(): number {
    return this.#revision;
  }

  isCurrentIn(session: NatsSession): boolean {
    return this.#current === session;
  }

  [Symbol.dispose](): void {
    if (this.#life.signal.aborted) return;
    this.#life.abort();
    this.#options.ended();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { link, clock, random } = this.#options;
    while (!signal.aborted) {
      const session = await link.waitForSession(signal).catch(() => null);
      if (session === null) return;
      const problem = await this.#follow(session, signal);
      if (signal.aborted) return;
      this.#loseTrack(problem, session);
      if (session.lost.aborted) continue;
      await sleep(clock, retryMs(random, this.#failures++), signal);
    }
  }

  /** Resolves with why it ended. */
  #follow(session: NatsSession, signal: AbortSignal): Promise<string> {
    const tell = (event: WatchEvent) => {
      if (signal.aborted) return;
      this.#revision = event.type === 'put' ? event.entry.revision : event.revision;
      this.#options.listener(event);
      if (event.type === 'content') this.#beCurrentIn(session);
    };
    const confirm = () => {
      this.#confirmedMs = this.#options.clock.monotonicMs();
    };
    return this.#options.follow(session, tell, confirm, signal).catch(messageOf);
  }

  #beCurrentIn(session: NatsSession): void {
    this.#current = session;
    this.#failures = 0;
    this.#problem = '';
    this.#options.current();
  }

  #loseTrack(problem: string, session: NatsSession): void {
    const { bucket, counts, log, behind } = this.#options;
    if (this.#current !== null) counts.rereads++;
    this.#current = null;
    if (!session.lost.aborted && problem !== this.#problem) {
      log.warn('bus: the watch of %s begins again: %s', bucket, problem);
    }
    this.#problem = problem;
    behind();
  }
}
