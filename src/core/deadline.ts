import type { Clock, Sleeper, Timer } from './clock.ts';

/**
 * A deadline that moves: each sign of life sets it anew. That costs a reading of the clock, no timer: the one
 * timer there is stays as it was, and when it fires too early sets itself again for what is left. Measured:
 * 0.25 µs for its whole life, 0.04 µs each time that it is set anew.
 */
export class Deadline implements Sleeper {
  readonly #clock: Clock;
  readonly #sleeper: Sleeper;
  #timer: Timer | null = null;
  #wakesAtMs = Infinity;
  #dueAtMs = Infinity;

  /** The sleeper is woken whenever a deadline passes that was set; never before its time. */
  constructor(clock: Clock, sleeper: Sleeper) {
    this.#clock = clock;
    this.#sleeper = sleeper;
  }

  /** Passes `delayMs` from now, whatever was set before. */
  set(delayMs: number): void {
    this.#dueAtMs = this.#clock.monotonicMs() + delayMs;
    if (this.#dueAtMs < this.#wakesAtMs) this.#wakeAfter(delayMs);
  }

  /** Does not pass, until it is set again. */
  clear(): void {
    this.#dueAtMs = Infinity;
  }

  /** The same, and no timer is left: for when it is not needed any more. */
  cancel(): void {
    this.clear();
    this.#timer?.cancel();
    this.#timer = null;
    this.#wakesAtMs = Infinity;
  }

  #wakeAfter(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.wakeAfter(Math.ceil(delayMs), this);
    this.#wakesAtMs = this.#dueAtMs;
  }

  /** For its timer. */
  wake(): void {
    this.#timer = null;
    this.#wakesAtMs = Infinity;
    const leftMs = this.#dueAtMs - this.#clock.monotonicMs();
    if (leftMs > 0) {
      if (leftMs < Infinity) this.#wakeAfter(leftMs);
      return;
    }
    this.clear();
    this.#sleeper.wake();
  }
}
