import type { Clock } from '#core/clock.ts';

/** Those who wait for something to become true, asked anew whenever it may have. */
export class Waiting {
  readonly #clock: Clock;
  readonly #looks = new Set<() => void>();
  #isDue = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with whether it is true: as soon as it is, or after `deadlineMs`. */
  until(isTrue: () => boolean, deadlineMs: number): Promise<boolean> {
    if (isTrue()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (result: boolean) => {
        timer.cancel();
        this.#looks.delete(look);
        resolve(result);
      };
      const look = () => {
        if (isTrue()) end(true);
      };
      const timer = this.#clock.after(deadlineMs, () => end(isTrue()));
      this.#looks.add(look);
    });
  }

  /** Once for all that happens in a row: what is asked may take its time. */
  look(): void {
    if (this.#isDue || this.#looks.size === 0) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      for (const look of this.#looks) look();
    });
  }
}
