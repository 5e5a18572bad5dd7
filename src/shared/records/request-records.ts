/**
 * What each worker's latest requests did, in shared memory: a region for each worker, which alone writes there,
 * while the control plane reads whenever somebody asks. So nobody has to be asked: what a worker was doing is
 * there to be seen when it is busy, stuck or dead (docs/decisions/050-request-records.md).
 */
import { OUTCOMES } from '#core/request-record.ts';
import { AT, NONE, regionBytes, USED } from './layout.ts';
import { RecordReader } from './reader.ts';
import { Region } from './region.ts';
import { RecordWriter } from './writer.ts';

/** Requests under way at once that one worker has records for; more have none, which is counted. */
export const IN_FLIGHT_RECORDS_MAX = 16_384;

export type RecordsOptions = {
  readonly workers: number;
  /** Finished requests that each worker remembers. */
  readonly kept: number;
  /** Requests under way at once in each worker; 0 for no records at all. */
  readonly inFlight: number;
};

/** May be sent to a worker in a message. */
export type RecordsMemory = {
  readonly memory: SharedArrayBuffer;
  readonly workers: number;
  readonly kept: number;
  /** Records of each worker, those under way included. */
  readonly slots: number;
};

export class RequestRecords {
  /** Send it to a worker as it is, and `attach` there. */
  readonly shared: RecordsMemory;

  /** 2 kB a record, and 4 MB for each worker's queue, of which the system commits only what is used. */
  static create({ workers, kept, inFlight }: RecordsOptions): RequestRecords {
    const slots = inFlight === 0 ? 0 : kept + Math.min(inFlight, IN_FLIGHT_RECORDS_MAX);
    const memory = new SharedArrayBuffer(workers * regionBytes(slots));
    return new RequestRecords({ memory, workers, kept, slots });
  }

  static attach(shared: RecordsMemory): RequestRecords {
    return new RequestRecords(shared);
  }

  private constructor(shared: RecordsMemory) {
    this.shared = shared;
  }

  /** For worker `worker` alone. */
  writer(worker: number): RecordWriter {
    return new RecordWriter(this.#region(worker), this.shared.kept);
  }

  /** One for each worker. `states` are the paths of the request machine's states, as the workers number them. */
  readers(states: readonly string[]): RecordReader[] {
    return Array.from(
      { length: this.shared.workers },
      (_, worker) => new RecordReader(this.#region(worker), worker, states),
    );
  }

  /** Closes what a worker had under way, before another takes its number. After its thread has ended. */
  forgetWorker(worker: number, nowMs: number): void {
    const region = this.#region(worker);
    for (let record = 0; record < (region.words[USED] as number); record++) {
      const at = region.offsetOf(record);
      if ((region.bytes[at + AT.outcome] as number) !== NONE) continue;
      region.doubles[(at + AT.endMs) >> 3] = nowMs;
      region.bytes[at + AT.outcome] = OUTCOMES.indexOf('lost');
    }
  }

  #region(worker: number): Region {
    return new Region(this.shared.memory, worker, this.shared.slots);
  }
}
