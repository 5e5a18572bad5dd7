/**
 * Which record the next request gets: one that was never used while fewer than `kept` are finished, then the
 * one that finished longest ago. Those under way are never taken, and memory is touched only when needed.
 */
export class Slots {
  readonly #count: number;
  readonly #kept: number;
  /** A ring: the finished ones, in the order in which they finished. */
  readonly #finished: Int32Array;
  #oldest = 0;
  #finishedCount = 0;
  #used: number;

  /** `used` were in use before; those that are finished have to be told by `finish`, oldest first. */
  constructor(count: number, kept: number, used: number) {
    this.#count = count;
    this.#kept = kept;
    this.#used = used;
    this.#finished = new Int32Array(count);
  }

  /** How many were ever in use: numbers from here on were not. */
  get used(): number {
    return this.#used;
  }

  /** Undefined while every one is under way. */
  take(): number | undefined {
    const mayBeNew = this.#used < this.#count;
    if (mayBeNew && (this.#finishedCount < this.#kept || this.#finishedCount === 0)) return this.#used++;
    if (this.#finishedCount === 0) return undefined;
    const slot = this.#finished[this.#oldest];
    this.#oldest = (this.#oldest + 1) % this.#count;
    this.#finishedCount--;
    return slot;
  }

  finish(slot: number): void {
    this.#finished[(this.#oldest + this.#finishedCount) % this.#count] = slot;
    this.#finishedCount++;
  }
}
