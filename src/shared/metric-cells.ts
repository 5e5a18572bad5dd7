/**
 * What workers count, in shared memory. Each worker has a region of its own and is the only one to write
 * there, so counting is a plain addition: nothing is contended, and nothing is atomic.
 *
 * The control plane reads plainly, too. Numbers are doubles, exact up to 2^53, which the 64-bit machines
 * that run Node read whole. A reader may miss the last few additions, or see an observation in its bucket
 * and not yet in the sum; the next reading has them, and a histogram's count is the sum of its buckets,
 * so these always agree. That a row's labels are there before the row is counted is the one thing that
 * must be ordered, and is (see `SeriesRows.row`).
 *
 * Rows hold their labels as text. Ids of routes and upstreams would mean something only together with the
 * table that gave them out; text stays true when the table is replaced, and when a crashed worker's
 * successor goes on with its rows. It is written once a series; finding a row again costs no text (see
 * `http/request-metrics.ts`).
 */
import { WORKER_INSTRUMENTS, type WorkerInstrument } from '#core/metric-names.ts';
import { type Label, SeriesRows } from './series-rows.ts';

/** What one worker counts. */
export type WorkerSeries = Readonly<Record<WorkerInstrument, SeriesRows>>;

/** A series over all workers; labels are null where they did not fit. */
export type SeriesSum = { readonly labels: readonly Label[] | null; readonly numbers: readonly number[] };

const INSTRUMENTS = Object.keys(WORKER_INSTRUMENTS) as WorkerInstrument[];
const REGION_BYTES = INSTRUMENTS.reduce(
  (bytes, name) => bytes + SeriesRows.bytes(WORKER_INSTRUMENTS[name].bounds),
  0,
);

export class MetricCells {
  /** Send it to a worker as it is, and `attach` there. */
  readonly memory: SharedArrayBuffer;
  readonly #regions: readonly WorkerSeries[];
  #requestsLost = 0;

  /** New cells: about 11 MB a thread, of which the system commits only what is used. */
  static create(workers: number): MetricCells {
    return new MetricCells(new SharedArrayBuffer((workers + 1) * REGION_BYTES));
  }

  static attach(memory: SharedArrayBuffer): MetricCells {
    return new MetricCells(memory);
  }

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    const threads = memory.byteLength / REGION_BYTES;
    this.#regions = Array.from({ length: threads }, (_, thread) => region(memory, thread * REGION_BYTES));
  }

  /** What worker `worker` counts, for itself alone to write. Throws a RangeError if it has no region. */
  ofWorker(worker: number): WorkerSeries {
    const found = this.#regions[worker];
    if (found === undefined || worker === this.#regions.length - 1) {
      throw new RangeError(`worker ${worker} has no metric cells`);
    }
    return found;
  }

  /** What the control plane counts as a thread like others. */
  get ofControl(): WorkerSeries {
    return this.#regions.at(-1) as WorkerSeries;
  }

  /** The series of an instrument, summed over the threads. */
  read(instrument: WorkerInstrument): SeriesSum[] {
    const sums = new Map<string, Float64Array>();
    for (const series of this.#regions) series[instrument].addTo(sums);
    return Array.from(sums, ([text, numbers]) => ({
      labels: text === '' ? null : (JSON.parse(text) as Label[]),
      numbers: Array.from(numbers),
    }));
  }

  /** Requests that ended with the thread that they were in. */
  get requestsLost(): number {
    return this.#requestsLost;
  }

  /** Takes back what a worker was in the midst of; what it has counted stays. After its thread has ended. */
  forgetWorker(worker: number): void {
    const underWay = new Map<string, Float64Array>();
    this.#regions[worker]?.activeRequests.addTo(underWay);
    for (const [count = 0] of underWay.values()) this.#requestsLost += count;
    for (const name of INSTRUMENTS) {
      const { kind } = WORKER_INSTRUMENTS[name];
      if (kind === 'up_down_counter' || kind === 'gauge') this.#regions[worker]?.[name].clear();
    }
  }
}

function region(memory: SharedArrayBuffer, offset: number): WorkerSeries {
  let at = offset;
  const rows = INSTRUMENTS.map((name) => {
    const { bounds } = WORKER_INSTRUMENTS[name];
    at += SeriesRows.bytes(bounds);
    return [name, new SeriesRows(memory, at - SeriesRows.bytes(bounds), bounds)];
  });
  return Object.fromEntries(rows) as WorkerSeries;
}
