import type { Clock, Timer } from '#core/clock.ts';

/** The longest delay that the platform's timers take; a longer one (Infinity) means never. */
export const DELAY_MS_MAX = 2 ** 31 - 1;

/** XState's view of our clock, so that machines run under virtual time in tests. */
export function xstateClock(clock: Clock) {
  return {
    setTimeout(run: (...args: unknown[]) => void, delayMs: number): Timer | undefined {
      return delayMs > DELAY_MS_MAX ? undefined : clock.after(delayMs, run);
    },
    clearTimeout(timer: Timer | undefined): void {
      timer?.cancel();
    },
  };
}
