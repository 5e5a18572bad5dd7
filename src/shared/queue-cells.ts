/**
 * Which workers have requests that wait for an upstream, and since when. Workers share a pool's bounds, and not its
 * queues: so whoever finds room looks here first whether someone has waited for it longer in another worker.
 *
 * Times are plain doubles, each written by one worker. Who reads one too early decides by the one before, and a
 * request goes out of turn.
 */
import { POOL_SLOTS_MAX } from './upstream-cells.ts';

const ROW_BYTES = POOL_SLOTS_MAX * Float64Array.BYTES_PER_ELEMENT;
const BELL_BYTES = 2 * Int32Array.BYTES_PER_ELEMENT;

export class QueueCells {
  readonly memory: SharedArrayBuffer;
  readonly #worker: number;
  /** By worker and pool's slot: when its first request began to wait, by the monotonic clock; 0: none waits. */
  readonly #waitsSinceMs: readonly Float64Array[];
  readonly #bells: Int32Array;
  #isListening = false;

  static create(workers: number): QueueCells {
    return new QueueCells(new SharedArrayBuffer(workers * (ROW_BYTES + BELL_BYTES)), 0);
  }

  /** The view of worker `worker`, from 0. */
  static attach(memory: SharedArrayBuffer, worker: number): QueueCells {
    return new QueueCells(memory, worker);
  }

  private constructor(memory: SharedArrayBuffer, worker: number) {
    const workers = memory.byteLength / (ROW_BYTES + BELL_BYTES);
    this.memory = memory;
    this.#worker = worker;
    this.#waitsSinceMs = Array.from(
      { length: workers },
      (_, nth) => new Float64Array(memory, nth * ROW_BYTES, POOL_SLOTS_MAX),
    );
    this.#bells = new Int32Array(memory, workers * ROW_BYTES);
  }

  /** Says since when this worker's first request for the pool waits; 0: none does. */
  publish(poolSlot: number, sinceMs: number): void {
    const own = this.#waitsSinceMs[this.#worker];
    if (own !== undefined) own[poolSlot] = sinceMs;
  }

  /** The other worker whose request waits longest, if it began before `sinceMs`; null if there is none. */
  elder(poolSlot: number, sinceMs: number): number | null {
    let eldest: number | null = null;
    let eldestMs = sinceMs;
    for (let worker = 0; worker < this.#waitsSinceMs.length; worker++) {
      const otherMs = this.#waitsSinceMs[worker]?.[poolSlot] ?? 0;
      if (worker === this.#worker || otherMs === 0 || otherMs >= eldestMs) continue;
      eldest = worker;
      eldestMs = otherMs;
    }
    return eldest;
  }

  /** Has a worker look whether its requests can go on. */
  ring(worker: number): void {
    Atomics.add(this.#bells, worker, 1);
    Atomics.notify(this.#bells, worker);
  }

  /** Calls `rung` once, when this worker's bell is rung next; once, too, if this is called again before. */
  listen(rung: () => void): void {
    if (this.#isListening) return;
    const rings = Atomics.load(this.#bells, this.#worker);
    const { async, value } = Atomics.waitAsync(this.#bells, this.#worker, rings);
    if (!async) return;
    this.#isListening = true;
    void value.then(() => {
      this.#isListening = false;
      rung();
    });
  }

  /** After its thread has ended. */
  forgetWorker(worker: number): void {
    this.#waitsSinceMs[worker]?.fill(0);
  }
}
