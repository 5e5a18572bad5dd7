/**
 * A map that holds what was asked for lately: two generations of `entriesMax`, and of `weightMax` as
 * `weightOf` has it. When the younger one is full, the older one is forgotten; what was used in the meantime has moved
 * on. So what is in use costs one look-up, with no order of use to be kept.
 */
export class RecentMap<Value, Key = string> {
  readonly #entriesMax: number;
  readonly #weightMax: number;
  readonly #weightOf: (value: Value) => number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();
  #youngWeight = 0;

  constructor(entriesMax: number, weightMax = Infinity, weightOf: (value: Value) => number = () => 0) {
    this.#entriesMax = entriesMax;
    this.#weightMax = weightMax;
    this.#weightOf = weightOf;
  }

  get(key: Key): Value | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const oldValue = this.#old.get(key);
    if (oldValue !== undefined) this.set(key, oldValue);
    return oldValue;
  }

  set(key: Key, value: Value): void {
    const weight = this.#weightOf(value);
    if (this.#young.size >= this.#entriesMax || this.#youngWeight + weight > this.#weightMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngWeight = 0;
    }
    this.#young.set(key, value);
    this.#youngWeight += weight;
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngWeight = 0;
  }

  /** Entries held, those in both generations twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
