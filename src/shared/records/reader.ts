import type { RequestRecord } from '#core/request-record.ts';
import { decodeRecord } from './decode.ts';
import {
  AT,
  NONE,
  QUEUE_FIRST,
  QUEUE_LOST,
  QUEUE_PUT,
  QUEUE_RECORDS,
  QUEUE_TAKEN,
  RECORD_BYTES,
  TRACE_ID_BYTES,
  UNRECORDED,
  USED,
} from './layout.ts';
import { type Region, Stretch } from './region.ts';

/** As much of a record as tells whether it is looked for. */
export type RecordGlance = {
  /** Its number. */
  readonly record: number;
  readonly startMs: number;
  readonly isOpen: boolean;
  /** 0 while it is under way, and where none was sent. */
  readonly status: number;
};

/** Reads the records of one worker while that goes on writing them; the worker does not notice. */
export class RecordReader {
  readonly #region: Region;
  readonly #worker: number;
  readonly #states: readonly string[];
  readonly #copy = new Stretch(new ArrayBuffer(RECORD_BYTES), 0, RECORD_BYTES);

  /** `states` are the paths of the request machine's states, by the numbers that the worker has for them. */
  constructor(region: Region, worker: number, states: readonly string[]) {
    this.#region = region;
    this.#worker = worker;
    this.#states = states;
  }

  /** Finished records that the queue had no room for. */
  get lost(): number {
    return this.#region.words[QUEUE_LOST] as number;
  }

  /** Requests for which there was no record left. */
  get unrecorded(): number {
    return this.#region.words[UNRECORDED] as number;
  }

  /** Every record in use, in no order. */
  *glances(): Generator<RecordGlance> {
    const { bytes, doubles, halves, words } = this.#region;
    for (let record = 0; record < Atomics.load(words, USED); record++) {
      const at = this.#region.offsetOf(record);
      if (Atomics.load(words, at / 4) === 0) continue;
      yield {
        record,
        startMs: doubles[(at + AT.startMs) >> 3] as number,
        isOpen: (bytes[at + AT.outcome] as number) === NONE,
        status: halves[(at + AT.status) >> 1] as number,
      };
    }
  }

  /** Null where the worker has just taken it for another request. */
  read(record: number): RequestRecord | null {
    const { words } = this.#region;
    const at = this.#region.offsetOf(record);
    const edition = Atomics.load(words, at / 4);
    this.#take(at);
    if (edition === 0 || Atomics.load(words, at / 4) !== edition) return null;
    return decodeRecord(this.#copy, this.#worker, this.#states);
  }

  /** Numbers of the records that have this trace id. */
  find(traceId: string): number[] {
    const { bytes, words } = this.#region;
    const wanted = Buffer.from(traceId, 'hex');
    const found: number[] = [];
    if (wanted.length !== TRACE_ID_BYTES) return found;
    for (let record = 0; record < Atomics.load(words, USED); record++) {
      const from = this.#region.offsetOf(record) + AT.traceId;
      if (bytes.compare(wanted, 0, TRACE_ID_BYTES, from, from + TRACE_ID_BYTES) === 0) found.push(record);
    }
    return found;
  }

  /** Adds to `counts`, by the number of the state, how many requests are in each now. */
  countStates(counts: number[]): void {
    const { bytes } = this.#region;
    for (const { record, isOpen } of this.glances()) {
      const at = this.#region.offsetOf(record);
      const entered = bytes[at + AT.states] as number;
      if (!isOpen || entered === 0) continue;
      const state = bytes[at + AT.statePaths + entered - 1] as number;
      counts[state] = (counts[state] ?? 0) + 1;
    }
  }

  /** Takes the oldest record out of the queue; null when that is empty. For one reader alone. */
  next(): RequestRecord | null {
    const { words, slots } = this.#region;
    const taken = words[QUEUE_TAKEN] as number;
    if (taken === Atomics.load(words, QUEUE_PUT)) return null;
    const place = (taken - (words[QUEUE_FIRST] as number)) & (QUEUE_RECORDS - 1);
    this.#take(this.#region.offsetOf(slots + place));
    Atomics.store(words, QUEUE_TAKEN, taken + 1);
    return decodeRecord(this.#copy, this.#worker, this.#states);
  }

  #take(at: number): void {
    this.#region.bytes.copy(this.#copy.bytes, 0, at, at + RECORD_BYTES);
  }
}
