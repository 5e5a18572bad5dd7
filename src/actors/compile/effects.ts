import type { Call } from './acts.ts';
import { Args } from './args.ts';

/** A step or delay that a state has for as long as it is active. */
export interface Holding {
  /** Not before all is decided; what was left by then never starts. */
  readonly isStarted: boolean;
  start(): void;
  /** Its state is left, or the machine has failed. Called at most once, and only when it was started. */
  halt(): void;
}

/** An action of the initial states; like XState we call it only after their steps have started. */
export class LateAction {
  readonly #action: Call;
  readonly #args: Args;
  readonly #params: unknown;

  constructor(action: Call, { context, event }: Args, params: unknown) {
    this.#action = action;
    this.#args = new Args(context, event);
    this.#params = params;
  }

  perform(): void {
    this.#action(this.#args, this.#params);
  }
}
