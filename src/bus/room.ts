import { BusError } from './errors.ts';

/** Room for so many of something at once. */
export class Room {
  readonly #what: string;
  readonly #max: number;
  #taken = 0;

  /** `what` is named, in the plural, to whoever finds no room. */
  constructor(what: string, max: number) {
    this.#what = what;
    this.#max = max;
  }

  /** Takes a place until it is disposed of; throws a `bus_busy` when there is none. */
  claim(): Disposable {
    if (this.#taken >= this.#max) {
      throw new BusError('bus_busy', `there are ${this.#max} ${this.#what} already, as many as may be`);
    }
    this.#taken++;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#taken--;
        isHeld = false;
      },
    };
  }
}
