/** Stands where nothing was asked for yet. */
const NOBODY = {};

/**
 * What is known of objects, as in a WeakMap: it goes with them. What was asked for last is at hand, which takes 10
 * instructions in place of 150; so long, it does not go.
 */
export class WeakLookup<Subject extends object, Value> {
  readonly #all = new WeakMap<Subject, Value>();
  readonly #mask: number;
  readonly #subjects: object[];
  readonly #values: (Value | undefined)[];

  /** As many are at hand as there are places, a power of two. */
  constructor(places = 1) {
    this.#mask = places - 1;
    this.#subjects = new Array<object>(places).fill(NOBODY);
    this.#values = new Array<Value | undefined>(places).fill(undefined);
  }

  /** `place` is any number of the subject's own, such as its slot. */
  get(subject: Subject, place = 0): Value | undefined {
    const at = place & this.#mask;
    if (this.#subjects[at] === subject) return this.#values[at];
    const value = this.#all.get(subject);
    if (value === undefined) return undefined;
    this.#subjects[at] = subject;
    this.#values[at] = value;
    return value;
  }

  /** Not for one that is known. */
  add(subject: Subject, value: Value): Value {
    this.#all.set(subject, value);
    return value;
  }
}
