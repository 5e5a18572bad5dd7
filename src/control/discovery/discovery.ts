import type { Clock, Timer } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { Random } from '#core/random.ts';
import type { Log } from '#telemetry/log.ts';
import type { Resolve } from './resolve.ts';

/** Until a name that did not resolve is tried again: doubles with each failure in a row. */
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;
/** Names under way at once: the system has four threads to resolve with, and other uses for them. */
const UNDER_WAY_MAX = 2;
/** Of these, names that did not resolve: they may take long to fail again, and the others do not wait for them. */
const FAILING_UNDER_WAY_MAX = 1;

export type DiscoveryOptions = {
  readonly resolve: Resolve;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

type Followed = {
  readonly name: string;
  addresses: readonly string[];
  failures: number;
  timer: Timer | null;
};

/**
 * Knows the addresses of upstreams that are given by name, and asks again as often as their TTL says. While
 * a name does not resolve, the last known addresses hold; before the first answer there are none.
 */
export class Discovery implements Disposable {
  /** Called when the addresses of a name have changed. */
  onChange: (name: string) => void = () => {};
  readonly #options: DiscoveryOptions;
  readonly #followed = new Map<string, Followed>();
  readonly #waiting: Followed[] = [];
  #underWay = 0;
  #failingUnderWay = 0;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** Follows these names from now on, and no others. */
  follow(names: ReadonlySet<string>): void {
    for (const [name, { timer }] of this.#followed) {
      if (names.has(name)) continue;
      timer?.cancel();
      this.#followed.delete(name);
    }
    for (const name of names) {
      if (this.#followed.has(name)) continue;
      const followed = { name, addresses: [], failures: 0, timer: null };
      this.#followed.set(name, followed);
      this.#ask(followed);
    }
  }

  /** IP literals; none before the first answer. */
  addressesOf(name: string): readonly string[] {
    return this.#followed.get(name)?.addresses ?? [];
  }

  [Symbol.dispose](): void {
    this.follow(new Set());
    this.#waiting.length = 0;
  }

  #ask(followed: Followed): void {
    this.#waiting.push(followed);
    this.#askNext();
  }

  #askNext(): void {
    while (this.#underWay < UNDER_WAY_MAX) {
      const followed = this.#next();
      if (followed === undefined) return;
      if (!this.#isFollowed(followed)) continue;
      const failing = followed.failures > 0 ? 1 : 0;
      this.#underWay++;
      this.#failingUnderWay += failing;
      void this.#resolve(followed).finally(() => {
        this.#underWay--;
        this.#failingUnderWay -= failing;
        this.#askNext();
      });
    }
  }

  #next(): Followed | undefined {
    const mayFail = this.#failingUnderWay < FAILING_UNDER_WAY_MAX;
    const index = this.#waiting.findIndex(({ failures }) => failures === 0 || mayFail);
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
  }

  async #resolve(followed: Followed): Promise<void> {
    const { resolve, log } = this.#options;
    const { name } = followed;
    try {
      const { addresses, ttlMs } = await resolve(name);
      if (!this.#isFollowed(followed)) return;
      if (followed.failures > 0) log.info({ host: name }, 'a name of an upstream resolves again');
      followed.failures = 0;
      this.#askLater(followed, ttlMs);
      if (addresses.join() === followed.addresses.join()) return;
      followed.addresses = addresses;
      this.onChange(name);
    } catch (error) {
      if (!this.#isFollowed(followed)) return;
      if (followed.failures === 0) {
        const fields = { host: name, reason: messageOf(error), kept: followed.addresses.length };
        log.warn(fields, 'a name of an upstream does not resolve; its last known addresses are kept');
      }
      this.#askLater(followed, Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** followed.failures++));
    }
  }

  /** Early by up to a tenth, so that instances that started together do not ask together. */
  #askLater(followed: Followed, delayMs: number): void {
    const { clock, random } = this.#options;
    followed.timer = clock.after(delayMs * (1 - random.float() / 10), () => this.#ask(followed));
  }

  #isFollowed(followed: Followed): boolean {
    return this.#followed.get(followed.name) === followed;
  }
}
