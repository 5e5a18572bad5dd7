/**
 * Locks for shared memory that is read and changed in well under a microsecond: one word each, 0 when
 * free, otherwise the number of the worker that holds it, plus one.
 *
 * A worker can die while it holds one. The control plane then frees it with `releaseAllOf`; and since
 * no worker may depend on the control plane to serve a request, who has waited for `PATIENCE_WAITS`
 * takes the lock over from its holder.
 */

import { storeInOrder } from './ordered-store.ts';

const FREE = 0;

/** Tries before going to sleep: some microseconds, many times what a holder needs. */
const SPINS_MAX = 200;

/** A holder that was suspended by the system runs again while this one sleeps. */
const WAIT_MS = 1;

/**
 * About a second, ten times what CPU quotas suspend a thread for. Should a holder be alive after all,
 * two threads change one set at once, and some of its counts are wrong until they expire.
 */
const PATIENCE_WAITS = 1000;

export class Locks {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #mine: number;

  /** `worker`, from 0, is the calling thread's own: two threads with one number would share locks. */
  constructor(words: Int32Array<SharedArrayBuffer>, worker: number) {
    this.#words = words;
    this.#mine = worker + 1;
  }

  /** Blocks the thread until it holds the lock. Not re-entrant. */
  acquire(index: number): void {
    for (let waits = 0; ; waits++) {
      const holder = this.#spin(index);
      if (holder === FREE) return;
      if (waits >= PATIENCE_WAITS && this.#swap(index, holder, this.#mine)) return;
      Atomics.wait(this.#words, index, holder, WAIT_MS);
    }
  }

  /** Does nothing when another worker has taken the lock over. Nobody else changes the word of who holds it. */
  release(index: number): void {
    if (this.#words[index] === this.#mine) storeInOrder(this.#words, index, FREE);
  }

  /** Frees what a worker held when it died; to be called before another worker gets its number. */
  releaseAllOf(worker: number): void {
    for (let index = 0; index < this.#words.length; index++) {
      if (this.#swap(index, worker + 1, FREE)) Atomics.notify(this.#words, index);
    }
  }

  /** FREE when the lock is held now, otherwise its holder. */
  #spin(index: number): number {
    let holder = FREE;
    for (let spins = 0; spins < SPINS_MAX; spins++) {
      holder = Atomics.compareExchange(this.#words, index, FREE, this.#mine);
      if (holder === FREE) break;
      Atomics.pause();
    }
    return holder;
  }

  #swap(index: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, index, from, to) === from;
  }
}
