import type { RequestRecord } from '#core/request-record.ts';
import type { RecordGlance, RecordReader } from '#shared/records/reader.ts';

/** Whether a request is meant, by what can be told at a glance. */
export type RequestFilter = (glance: Pick<RecordGlance, 'isOpen' | 'status'>) => boolean;

/** Finds what the workers remember of requests. */
export class RequestLookup {
  readonly #readers: readonly RecordReader[];

  constructor(readers: readonly RecordReader[]) {
    this.#readers = readers;
  }

  /** The latest requests, the latest first. */
  latest(filter: RequestFilter, limit: number): RequestRecord[] {
    const glances = this.#readers.flatMap((reader) =>
      Array.from(reader.glances())
        .filter(filter)
        .map((glance) => ({ reader, ...glance })),
    );
    return glances
      .sort((a, b) => b.startMs - a.startMs)
      .slice(0, limit)
      .map(({ reader, record }) => reader.read(record))
      .filter((record) => record !== null);
  }

  /** The requests of a trace, of which there are several if its sender sent several; the first one first. */
  find(traceId: string): RequestRecord[] {
    return this.#readers
      .flatMap((reader) => reader.find(traceId).map((record) => reader.read(record)))
      .filter((record) => record !== null)
      .filter((record) => record.traceId === traceId)
      .sort((a, b) => a.startMs - b.startMs);
  }
}
