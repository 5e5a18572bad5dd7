import { type Clock, sleep } from '#core/clock.ts';

/** How long a start waits for the first checks; an upstream that takes longer is out until it has passed. */
export const FIRST_ROUND_MS_MAX = 3_000;

/** The upstreams of which nothing is known yet. */
export class FirstRound {
  readonly #clock: Clock;
  readonly #unknown = new Set<string>();
  #ending: AbortController | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  await(upstream: string): void {
    this.#unknown.add(upstream);
  }

  settle(upstream: string): void {
    this.#unknown.delete(upstream);
    if (this.#unknown.size === 0) this.#ending?.abort();
  }

  /** Resolves when none is left, after FIRST_ROUND_MS_MAX, or when `signal` aborts. */
  async ended(signal: AbortSignal): Promise<void> {
    if (this.#unknown.size === 0) return;
    this.#ending = new AbortController();
    await sleep(this.#clock, FIRST_ROUND_MS_MAX, AbortSignal.any([signal, this.#ending.signal]));
  }
}
