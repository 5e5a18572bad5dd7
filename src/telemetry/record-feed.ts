import type { Clock, Timer } from '#core/clock.ts';
import type { RequestRecord } from '#core/request-record.ts';
import type { RecordReader } from '#shared/records/reader.ts';

/** How often the workers' queues are looked into; each holds what comes in that time at 20 000 requests a second. */
export const FEED_MS = 100;

/** Records that are handed out in one go, so that the control plane has time for other things in between. */
export const RECORDS_AT_ONCE_MAX = 256;

/** Who wants to have finished records. */
export type RecordSink = (record: RequestRecord) => void;

/** Fetches the records that workers have queued, and hands them out. */
export class RecordFeed implements Disposable {
  readonly #readers: readonly RecordReader[];
  readonly #sinks: readonly RecordSink[];
  readonly #clock: Clock;
  #timer: Timer;

  constructor(readers: readonly RecordReader[], sinks: readonly RecordSink[], clock: Clock) {
    this.#readers = readers;
    this.#sinks = sinks;
    this.#clock = clock;
    this.#timer = this.#after(FEED_MS);
  }

  /** Hands out what is left. Not while workers run: they would go on adding to it. */
  [Symbol.dispose](): void {
    this.#timer.cancel();
    while (this.#fetch());
  }

  #after(delayMs: number): Timer {
    return this.#clock.after(delayMs, () => {
      this.#timer = this.#after(this.#fetch() ? 0 : FEED_MS);
    });
  }

  /** One of each worker in turn, so that none has to wait for another; says whether there may be more. */
  #fetch(): boolean {
    let fetched = 0;
    for (let before = -1; before < fetched && fetched < RECORDS_AT_ONCE_MAX; ) {
      before = fetched;
      for (const reader of this.#readers) {
        const record = reader.next();
        if (record === null) continue;
        fetched++;
        for (const sink of this.#sinks) sink(record);
      }
    }
    return fetched >= RECORDS_AT_ONCE_MAX;
  }
}
