/**
 * A clock that moves only when a test says so. Timers fire in the order in which they are due, those due
 * at the same instant in the order in which they were set, and a timer set by another one fires in the
 * same `advance` if its time comes.
 */

import { setImmediate as yieldToPromises } from 'node:timers/promises';
import type { Clock, Sleeper, Timer } from '#core/clock.ts';

/** Far from zero, so that a forgotten "0 means never" shows. */
export const MONOTONIC_START_MS = 1_000_000;
export const WALL_START_MS = Date.UTC(2026, 0, 1);

/** A timer that sets itself again without a delay would otherwise never let `advance` return. */
const TIMERS_PER_ADVANCE_MAX = 100_000;

type Pending = { readonly dueMs: number; readonly sleeper: Sleeper };

export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #steppedMs = 0;
  readonly #pending = new Set<Pending>();

  monotonicMs(): number {
    return MONOTONIC_START_MS + this.#elapsedMs;
  }

  wallMs(): number {
    return WALL_START_MS + this.#elapsedMs + this.#steppedMs;
  }

  /** Sets the wall clock forward or back by `ms`; time itself stands still. */
  step(ms: number): void {
    this.#steppedMs += ms;
  }

  after(delayMs: number, action: () => void): Timer {
    return this.wakeAfter(delayMs, { wake: action });
  }

  wakeAfter(delayMs: number, sleeper: Sleeper): Timer {
    const timer = { dueMs: this.#elapsedMs + Math.max(0, delayMs), sleeper };
    this.#pending.add(timer);
    return { cancel: () => this.#pending.delete(timer) };
  }

  /** Timers that are set and have neither fired nor been cancelled. */
  get timers(): number {
    return this.#pending.size;
  }

  /** Moves time by `ms` and fires what comes due, without letting promises go on in between. */
  advance(ms: number): void {
    const endMs = this.#elapsedMs + ms;
    for (let fired = 0; this.#fireNext(endMs); fired++) refuseEndless(fired);
    this.#elapsedMs = endMs;
  }

  /** As `advance`, but what awaits a timer goes on before the next one fires: for loops around `sleep`. */
  async advanceAsync(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    await yieldToPromises();
    for (let fired = 0; this.#fireNext(endMs); fired++) {
      refuseEndless(fired);
      await yieldToPromises();
    }
    this.#elapsedMs = endMs;
  }

  #fireNext(endMs: number): boolean {
    let next: Pending | undefined;
    for (const timer of this.#pending) {
      if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    if (next === undefined) return false;
    this.#pending.delete(next);
    this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
    next.sleeper.wake();
    return true;
  }
}

function refuseEndless(fired: number): void {
  if (fired === TIMERS_PER_ADVANCE_MAX) {
    throw new Error(`${fired} timers fired in one advance; does one set itself again with no delay?`);
  }
}
