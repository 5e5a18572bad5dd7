import type { Clock } from '../clock.ts';

/** A step back that is no longer than this corrects a small error; one that is longer, a wrong clock. */
export const STEP_BACK_MS_MAX = 10 * 60_000;

/**
 * The wall clock as tokens see it: what has expired does not come back to life when the clock is set back
 * a little. Time stands still then, until the clock has caught up.
 */
export class TokenClock {
  readonly #clock: Clock;
  #latestMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since the Unix epoch. */
  nowMs(): number {
    const nowMs = this.#clock.wallMs();
    if (nowMs > this.#latestMs || nowMs < this.#latestMs - STEP_BACK_MS_MAX) this.#latestMs = nowMs;
    return this.#latestMs;
  }
}
