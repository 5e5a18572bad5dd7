/**
 * Client connections of an instance, exact across its workers. Each worker's share is kept beside the
 * sum, so that a crashed worker's connections can be given back.
 */
export class ConnectionCount {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  static create(workers: number): ConnectionCount {
    return new ConnectionCount(new SharedArrayBuffer((1 + workers) * 4));
  }

  static attach(memory: SharedArrayBuffer): ConnectionCount {
    return new ConnectionCount(memory);
  }

  get total(): number {
    return Atomics.load(this.#words, 0);
  }

  /** Takes a place among `max`; false when there is none. */
  enter(worker: number, max: number): boolean {
    for (;;) {
      const total = Atomics.load(this.#words, 0);
      if (total >= max) return false;
      if (Atomics.compareExchange(this.#words, 0, total, total + 1) !== total) continue;
      Atomics.add(this.#words, 1 + worker, 1);
      return true;
    }
  }

  leave(worker: number): void {
    Atomics.sub(this.#words, 1 + worker, 1);
    Atomics.sub(this.#words, 0, 1);
  }

  /** Gives back what a worker that is gone still held. */
  forgetWorker(worker: number): void {
    Atomics.sub(this.#words, 0, Atomics.exchange(this.#words, 1 + worker, 0));
  }
}
