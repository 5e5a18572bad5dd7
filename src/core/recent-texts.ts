import { interned } from './own-text.ts';

/** Texts that are known at once, each in a place that others want, too. A power of two. */
const PLACES = 16;

/** Characters. What is longer is never known. */
const LENGTH_MAX = 256;

/** Of so many texts that are unknown one is learned, so that what comes once takes little time and what is known stays. */
export const LEARNED_OF = 8;

/**
 * What is made of texts that are nearly always one of a few, and each time another string, as what is cut out of a head
 * is. Such a string is slow to look up in a Map (1200 instructions), and soon compared with the one that is likely the
 * same (350).
 */
export class RecentTexts<Value> {
  readonly #make: (text: string) => Value | undefined;
  readonly #texts = new Array<string>(PLACES).fill('');
  readonly #values = new Array<Value | undefined>(PLACES).fill(undefined);
  #unknown = 0;

  /** `make` is asked once for each text that is learned, which may be kept; a text without a value is not learned. */
  constructor(make: (text: string) => Value | undefined) {
    this.#make = make;
  }

  /** What was made of the text; undefined while it is not known. */
  find(text: string): Value | undefined {
    const { length } = text;
    if (length === 0) return undefined;
    const place = (length + text.charCodeAt(length - 1)) & (PLACES - 1);
    return this.#texts[place] === text ? this.#values[place] : this.#learn(place, text);
  }

  #learn(place: number, text: string): Value | undefined {
    this.#unknown = (this.#unknown + 1) % LEARNED_OF;
    if (this.#unknown !== 0 || text.length > LENGTH_MAX) return undefined;
    const own = interned(text);
    const value = this.#make(own);
    if (value === undefined) return undefined;
    this.#texts[place] = own;
    this.#values[place] = value;
    return value;
  }
}
