import type { Clock } from '#core/clock.ts';

/** How often something may happen: so often at once, and so often a second for ever. */
export type Rate = { readonly burst: number; readonly perSecond: number };

/** What a client may do, and would be a flood if it did it without end. */
export class Allowance {
  readonly #rate: Rate;
  readonly #clock: Clock;
  #left: number;
  #sinceMs: number;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#left = rate.burst;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Once more; false when that is too often. */
  take(): boolean {
    const { burst, perSecond } = this.#rate;
    const nowMs = this.#clock.monotonicMs();
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#sinceMs) / 1000) * perSecond);
    this.#sinceMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
