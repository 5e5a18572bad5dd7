import { WORKERS_MAX } from './upstream-cells.ts';

/** A cache line each: every worker writes its own. */
const STRIDE = 8;

/** From this share of the bound on, nothing is kept that could be done without. */
export const KEEPING_SHARE = 0.5;

/**
 * Bytes that the workers of an instance hold in memory for the sake of slow readers and of further attempts. Each
 * worker counts its own, plainly; whoever reads the sum may miss what is counted at that instant.
 */
export class HeldBytes {
  readonly memory: SharedArrayBuffer;
  readonly #counts: Float64Array;
  readonly #own: number;
  readonly #max: number;

  /** For 1 to 64 workers that are to hold `max` bytes together; the view counts as worker 0. */
  static create(workers: number, max: number): HeldBytes {
    if (!(workers >= 1 && workers <= WORKERS_MAX))
      throw new RangeError(`no held bytes for ${workers} workers`);
    const memory = new SharedArrayBuffer((workers + 1) * STRIDE * Float64Array.BYTES_PER_ELEMENT);
    new Float64Array(memory)[workers * STRIDE] = max;
    return new HeldBytes(memory, 0);
  }

  /** The view of worker `worker`, from 0. */
  static attach(memory: SharedArrayBuffer, worker: number): HeldBytes {
    return new HeldBytes(memory, worker);
  }

  private constructor(memory: SharedArrayBuffer, worker: number) {
    this.memory = memory;
    this.#counts = new Float64Array(memory);
    this.#own = worker * STRIDE;
    this.#max = this.#counts[this.#counts.length - STRIDE] ?? 0;
  }

  /** Gives back where `bytes` are less than 0. */
  add(bytes: number): void {
    this.#counts[this.#own] = (this.#counts[this.#own] ?? 0) + bytes;
  }

  get total(): number {
    let sum = 0;
    for (let at = 0; at < this.#counts.length - STRIDE; at += STRIDE) sum += this.#counts[at] ?? 0;
    return sum;
  }

  /** Whether more may be held that could be done without. */
  get mayKeep(): boolean {
    return this.total < this.#max * KEEPING_SHARE;
  }

  get isFull(): boolean {
    return this.total >= this.#max;
  }

  /** After its thread has ended. */
  forgetWorker(worker: number): void {
    this.#counts[worker * STRIDE] = 0;
  }
}

/** What is held in one place. */
export class Hold {
  readonly #held: Pick<HeldBytes, 'add'>;
  #bytes = 0;

  constructor(held: Pick<HeldBytes, 'add'>) {
    this.#held = held;
  }

  get bytes(): number {
    return this.#bytes;
  }

  set(bytes: number): void {
    if (bytes === this.#bytes) return;
    this.#held.add(bytes - this.#bytes);
    this.#bytes = bytes;
  }
}
