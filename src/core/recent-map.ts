/**
 * A map by text that holds what was asked for lately: two generations of `entriesMax`. When the younger one is full,
 * the older one is forgotten; what was used in the meantime has moved on. So what is in use costs one look-up, with no
 * order of use to be kept.
 */
export class RecentMap<Value> {
  readonly #entriesMax: number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get(key: string): Value | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const oldValue = this.#old.get(key);
    if (oldValue !== undefined) this.set(key, oldValue);
    return oldValue;
  }

  set(key: string, value: Value): void {
    if (this.#young.size >= this.#entriesMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  /** Entries held, those in both generations twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
