/**
 * The retry budget of an instance, counted by its workers together: retries may be at most a fifth of the
 * requests of the last ten seconds, so that an outage is not multiplied; a few a second are always
 * allowed, so that a quiet instance can fail over at all. (The idea is Finagle's `RetryBudget`; the
 * numbers are Envoy's.) As a second turns, what another worker counts in that very instant may be lost.
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

export class RetryBudget {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  static create(): RetryBudget {
    return new RetryBudget(new SharedArrayBuffer(WINDOW_SECONDS * BUCKET_WORDS * 4));
  }

  static attach(memory: SharedArrayBuffer): RetryBudget {
    return new RetryBudget(memory);
  }

  countRequest(nowMs: number): void {
    Atomics.add(this.#words, this.#bucket(nowMs) + 1, 1);
  }

  countRetry(nowMs: number): void {
    Atomics.add(this.#words, this.#bucket(nowMs) + 2, 1);
  }

  /** Whether one more retry fits. Two workers that ask at once may both be told yes. */
  hasRoom(nowMs: number): boolean {
    const current = this.#bucket(nowMs);
    if (Atomics.load(this.#words, current + 2) < RETRIES_PER_SECOND_MIN) return true;
    const oldest = secondOf(nowMs) - WINDOW_SECONDS;
    let requests = 0;
    let retries = 0;
    for (let at = 0; at < this.#words.length; at += BUCKET_WORDS) {
      if (Atomics.load(this.#words, at) <= oldest) continue;
      requests += Atomics.load(this.#words, at + 1);
      retries += Atomics.load(this.#words, at + 2);
    }
    return retries < requests * RETRIES_PER_REQUEST_MAX;
  }

  /** The current second's bucket, emptied by whoever enters that second first. */
  #bucket(nowMs: number): number {
    const second = secondOf(nowMs);
    const at = (second % WINDOW_SECONDS) * BUCKET_WORDS;
    const counted = Atomics.load(this.#words, at);
    if (counted !== second && Atomics.compareExchange(this.#words, at, counted, second) === counted) {
      Atomics.store(this.#words, at + 1, 0);
      Atomics.store(this.#words, at + 2, 0);
    }
    return at;
  }
}

/** Counted from 1, so that an untouched bucket (0) is always old. */
function secondOf(nowMs: number): number {
  return Math.floor(nowMs / 1000) + 1;
}
