import { type HashKey, hash64 } from '#core/hash.ts';

/** What `ClientConnectionCount.attach` needs in another thread; may be sent there in a message. */
export type ClientConnectionMemory = {
  readonly cells: SharedArrayBuffer;
  /** Random and secret: who knows it can choose addresses that are counted as one. */
  readonly hashKey: HashKey;
};

/** Of each row; a power of two. */
const CELLS = 65_536;
const ROWS = 2;

/**
 * Client connections of each client, over all workers of an instance, in memory of a fixed size: 512 KiB for each
 * worker, taken as it is used. A client has one cell in each of two rows, and the smaller count is its own (a
 * count-min sketch: Cormode and Muthukrishnan, 2005). So nobody is counted too low, and too high only who shares
 * both cells with others: one in fifty when 10 000 clients are connected. Each worker counts in cells of its own,
 * so that those of a worker that crashed can be cleared.
 */
export class ClientConnectionCount {
  readonly memory: ClientConnectionMemory;
  readonly #cells: Int32Array;
  readonly #hash = new Int32Array(2);

  private constructor(memory: ClientConnectionMemory) {
    this.memory = memory;
    this.#cells = new Int32Array(memory.cells);
  }

  static create(workers: number, hashKey: HashKey): ClientConnectionCount {
    const cells = new SharedArrayBuffer(workers * ROWS * CELLS * Int32Array.BYTES_PER_ELEMENT);
    return new ClientConnectionCount({ cells, hashKey });
  }

  static attach(memory: ClientConnectionMemory): ClientConnectionCount {
    return new ClientConnectionCount(memory);
  }

  /** Counts one more; false, and it is not counted, when the client has `max` already. */
  enter(worker: number, client: string, max: number): boolean {
    this.#add(worker, client, 1);
    // Counted first: of two workers that let one in at once, none can miss the other's.
    if (this.#countHashed() <= max) return true;
    this.leave(worker, client);
    return false;
  }

  leave(worker: number, client: string): void {
    this.#add(worker, client, -1);
  }

  /** Clears what a worker that is gone still held. */
  forgetWorker(worker: number): void {
    const from = worker * ROWS * CELLS;
    this.#cells.fill(0, from, from + ROWS * CELLS);
  }

  #add(worker: number, client: string, change: 1 | -1): void {
    hash64(this.memory.hashKey, client, this.#hash);
    for (let row = 0; row < ROWS; row++) Atomics.add(this.#cells, this.#cellAt(worker, row), change);
  }

  /** Of the client that was hashed last. */
  #countHashed(): number {
    const workers = this.#cells.length / (ROWS * CELLS);
    let least = Infinity;
    for (let row = 0; row < ROWS; row++) {
      let sum = 0;
      for (let worker = 0; worker < workers; worker++)
        sum += Atomics.load(this.#cells, this.#cellAt(worker, row));
      least = Math.min(least, sum);
    }
    return least;
  }

  #cellAt(worker: number, row: number): number {
    return (worker * ROWS + row) * CELLS + ((this.#hash[row] ?? 0) & (CELLS - 1));
  }
}
