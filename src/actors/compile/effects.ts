import type { Call } from './acts.ts';
import { Args } from './args.ts';

/**
 * What a transition has decided and what happens only when all its decisions have been made. Effects are
 * linked to one another, so that a list of them costs nothing; each is in that list at most once at a time.
 */
export interface Effect {
  next: Effect | null;
  /** Does what has been decided. */
  settle(): void;
  /** Decides the contrary, and does it at once: the machine has failed. */
  end(): void;
}

/** A step or delay that a state has for as long as it is active. */
export interface Holding extends Effect {
  /** The state is left. */
  leave(): void;
}

/** An action of the initial states; like XState we call it only after their steps have started. */
export class LateAction implements Effect {
  next: Effect | null = null;
  readonly #action: Call;
  readonly #args: Args;
  readonly #params: unknown;

  constructor(action: Call, { context, event }: Args, params: unknown) {
    this.#action = action;
    this.#args = new Args(context, event);
    this.#params = params;
  }

  settle(): void {
    this.#action(this.#args, this.#params);
  }

  end(): void {}
}
