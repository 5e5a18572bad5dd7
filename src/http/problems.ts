import type { Clock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { FromWorker } from '#core/worker-messages.ts';

/** Told to the control plane in any one second; what comes beyond is counted, and told with the next one. */
export const PROBLEMS_PER_SECOND_MAX = 5;

/**
 * A worker's mistakes, which the control plane logs: what a step of the request machine threw, or the
 * machine itself. The client was told of each; the operator has to be, too, but not a thousand times.
 */
export class Problems {
  readonly #say: (message: FromWorker) => void;
  readonly #clock: Clock;
  #second = 0;
  #told = 0;
  #untold = 0;

  constructor(say: (message: FromWorker) => void, clock: Clock) {
    this.#say = say;
    this.#clock = clock;
  }

  report(error: unknown): void {
    const second = Math.floor(this.#clock.monotonicMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#told = 0;
    }
    if (this.#told >= PROBLEMS_PER_SECOND_MAX) {
      this.#untold++;
      return;
    }
    this.#told++;
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    this.#say({ type: 'problem', message: messageOf(error), stack, untold: this.#untold });
    this.#untold = 0;
  }
}
