import { atOnce } from '#core/clock.ts';

/** What has something to write. Its `flush` is called once for each time that it is added. */
export type Flushable = { flush(): void };

/**
 * So many reads are waited for at most. Where they are of small messages, what is ready first leaves less than a
 * millisecond later for it; where they are of large bodies, a few.
 */
export const READS_MAX = 32;

/**
 * Small writes to sockets, put off to the end of the event loop's turn: what comes together leaves together. A write
 * wakes whoever waits for it, and by the time of the next one it is asleep again; of writes in a row only the first
 * one does. Measured, with peers on the same machine: a request takes 4 to 6 µs less of the system's time, as soon as
 * there are some in each turn. A turn that has one is over at once.
 */
class Flushes {
  #waiting: Flushable[] = [];
  /** How many have ended since the first of them came to wait. */
  #reads = 0;
  #isDue = false;

  add(flushable: Flushable): void {
    this.#waiting.push(flushable);
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#flush);
  }

  /** To be called when bytes of a socket have been read, and what they led to is done. */
  readEnded(): void {
    if (this.#waiting.length > 0 && ++this.#reads === READS_MAX) this.#flushAll();
  }

  readonly #flush = (): void => {
    this.#isDue = false;
    this.#flushAll();
  };

  // What is added meanwhile waits for the next turn, so that others get theirs.
  readonly #flushAll = atOnce<void, void>(() => {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#reads = 0;
    let done = 0;
    try {
      while (done < waiting.length) (waiting[done++] as Flushable).flush();
    } finally {
      // One has thrown; the others are owed their writes all the same.
      for (const left of waiting.slice(done)) this.add(left);
    }
  });
}

/** Of this thread. */
export const flushes = new Flushes();
