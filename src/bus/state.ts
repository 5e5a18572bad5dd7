import { type BusState, SUBSCRIPTIONS_MAX } from './contract.ts';
import { Room } from './room.ts';

/** The state of a bus and those who want to know of it. */
export class StateTeller {
  readonly #listeners = new Set<(state: BusState) => void>();
  readonly #room = new Room('listeners to the state', SUBSCRIPTIONS_MAX);
  #state: BusState;

  constructor(state: BusState) {
    this.#state = state;
  }

  get state(): BusState {
    return this.#state;
  }

  /** `listener` must not throw. */
  add(listener: (state: BusState) => void): Disposable {
    const place = this.#room.claim();
    this.#listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
        place[Symbol.dispose]();
      },
    };
  }

  change(state: BusState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
