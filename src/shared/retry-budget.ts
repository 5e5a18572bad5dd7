/**
 * The retry budget of an instance, counted by its workers together: retries may be at most a fifth of the
 * requests of the last ten seconds, so that an outage is not multiplied; a few a second are always
 * allowed, so that a quiet instance can fail over at all. (The idea is Finagle's `RetryBudget`; the
 * numbers are Envoy's.) Each worker counts in buckets of its own, plainly; whoever reads the sum may miss what is
 * counted at that instant.
 *
 * It is for retries after an upstream has worked for nothing, or may have: no answer in time, a bad one, a
 * status that is tried again. After an attempt that found no connection, or whose connection was closed before
 * an answer, a request fails over without it: see `costNothing`.
 */

const RETRIES_PER_REQUEST_MAX = 0.2;
const RETRIES_PER_SECOND_MIN = 3;
const WINDOW_SECONDS = 10;

// A bucket a second: [second it counts, requests, retries].
const BUCKET_WORDS = 3;
/** Of a worker: its buckets, and what keeps the next worker's out of their cache lines. */
const WORKER_WORDS = 48;

export class RetryBudget {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #own: number;

  private constructor(memory: SharedArrayBuffer, worker: number) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
    this.#own = worker * WORKER_WORDS;
  }

  /** For that many workers; the view counts as worker 0. */
  static create(workers: number): RetryBudget {
    const bytes = workers * WORKER_WORDS * Int32Array.BYTES_PER_ELEMENT;
    return new RetryBudget(new SharedArrayBuffer(bytes), 0);
  }

  /** The view of worker `worker`, from 0. */
  static attach(memory: SharedArrayBuffer, worker: number): RetryBudget {
    return new RetryBudget(memory, worker);
  }

  countRequest(nowMs: number): void {
    this.#count(this.#bucket(nowMs) + 1);
  }

  countRetry(nowMs: number): void {
    this.#count(this.#bucket(nowMs) + 2);
  }

  /** Whether one more retry fits. Two workers that ask at once may both be told yes. */
  hasRoom(nowMs: number): boolean {
    const current = secondOf(nowMs);
    let requests = 0;
    let retries = 0;
    let retriesNow = 0;
    for (let first = 0; first < this.#words.length; first += WORKER_WORDS) {
      for (let at = first; at < first + WINDOW_SECONDS * BUCKET_WORDS; at += BUCKET_WORDS) {
        const second = this.#words[at] as number;
        if (second <= current - WINDOW_SECONDS) continue;
        requests += this.#words[at + 1] as number;
        retries += this.#words[at + 2] as number;
        if (second === current) retriesNow += this.#words[at + 2] as number;
      }
    }
    return retriesNow < RETRIES_PER_SECOND_MIN || retries < requests * RETRIES_PER_REQUEST_MAX;
  }

  #count(at: number): void {
    this.#words[at] = (this.#words[at] as number) + 1;
  }

  /** The worker's own of the current second, emptied when that has begun. */
  #bucket(nowMs: number): number {
    const second = secondOf(nowMs);
    const at = this.#own + (second % WINDOW_SECONDS) * BUCKET_WORDS;
    if (this.#words[at] === second) return at;
    this.#words[at + 1] = 0;
    this.#words[at + 2] = 0;
    this.#words[at] = second;
    return at;
  }
}

/** Counted from 1, so that an untouched bucket (0) is always old. */
function secondOf(nowMs: number): number {
  return Math.floor(nowMs / 1000) + 1;
}
