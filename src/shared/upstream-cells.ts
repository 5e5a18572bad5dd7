/**
 * What all workers must know of an upstream at once, in shared memory: requests in flight, latency, whether it may be
 * picked, and how its last attempts ended. One row (slot) per upstream, given out by the control plane and kept by an
 * upstream for its life; and one turn counter per pool.
 *
 * Counts are exact: each worker has in-flight counts of its own, which nobody else writes, and what several write is
 * atomic. Times and latencies are plain doubles; where two workers update one at the same instant, the later one wins,
 * and one observation of thousands is lost.
 */

import type { LoadView } from '#core/balance/strategy.ts';
import type { Clock } from '#core/clock.ts';
import { AdmissionCells } from './admission-cells.ts';
import { OutcomeCells } from './outcome-cells.ts';
import { Rows } from './rows.ts';

export const UPSTREAM_SLOTS_MAX = 4096;
export const POOL_SLOTS_MAX = 256;
export const WORKERS_MAX = 65;

/** Time constant of the latency estimate: after so long without news it has decayed to 1/e (37 %). */
export const LATENCY_DECAY_MS = 10_000;

/** In time constants: 100 ms, in which there is news of whoever has requests. */
const YOUNG = 0.01;

/** A cache line for the epoch, apart from what changes with every request. */
const HEADER_BYTES = 64;
const CURSORS_BYTES = POOL_SLOTS_MAX * Int32Array.BYTES_PER_ELEMENT;
const INTEGER_ROW_BYTES = UPSTREAM_SLOTS_MAX * Int32Array.BYTES_PER_ELEMENT;
const DOUBLE_ROW_BYTES = UPSTREAM_SLOTS_MAX * Float64Array.BYTES_PER_ELEMENT;
const FIXED_BYTES =
  HEADER_BYTES +
  CURSORS_BYTES +
  (2 + AdmissionCells.DOUBLES + OutcomeCells.DOUBLES) * DOUBLE_ROW_BYTES +
  (AdmissionCells.INTEGERS + OutcomeCells.INTEGERS) * INTEGER_ROW_BYTES;

export class UpstreamCells {
  /** Send it to a worker as it is, and `attach` there. */
  readonly memory: SharedArrayBuffer;
  readonly admission: AdmissionCells;
  readonly outcomes: OutcomeCells;
  readonly #cursors: Int32Array;
  readonly #latencyMs: Float64Array;
  readonly #latencyAtMs: Float64Array;
  /** Requests in flight by worker and slot. */
  readonly #inFlight: readonly Int32Array[];
  readonly #ownInFlight: Int32Array;

  /** New cells for that many workers, 1…65; the view counts as worker 0. Throws a RangeError beyond. */
  static create(workers: number): UpstreamCells {
    if (!(workers >= 1 && workers <= WORKERS_MAX)) {
      throw new RangeError(`upstream cells serve 1 to ${WORKERS_MAX} workers, not ${workers}`);
    }
    return new UpstreamCells(new SharedArrayBuffer(FIXED_BYTES + workers * INTEGER_ROW_BYTES), 0);
  }

  /** The view of worker `worker`, from 0. Throws a RangeError if the cells have no place for it. */
  static attach(memory: SharedArrayBuffer, worker: number): UpstreamCells {
    return new UpstreamCells(memory, worker);
  }

  private constructor(memory: SharedArrayBuffer, worker: number) {
    const rows = new Rows(memory, HEADER_BYTES + CURSORS_BYTES, UPSTREAM_SLOTS_MAX);
    this.memory = memory;
    this.#cursors = new Int32Array(memory, HEADER_BYTES, POOL_SLOTS_MAX);
    this.admission = new AdmissionCells(new Int32Array(memory, 0, 1), rows);
    this.outcomes = new OutcomeCells(rows);
    this.#latencyMs = rows.doubles();
    this.#latencyAtMs = rows.doubles();
    const workers = (memory.byteLength - FIXED_BYTES) / INTEGER_ROW_BYTES;
    this.#inFlight = Array.from({ length: workers }, () => rows.integers());
    const own = this.#inFlight[worker];
    if (own === undefined) throw new RangeError(`worker ${worker} has no place in cells for ${workers}`);
    this.#ownInFlight = own;
  }

  // -- in flight -------------------------------------------------------------------------------------

  /** A request goes to the upstream. Pair it with `end`, whatever happens. Throws a RangeError without such a slot. */
  begin(slot: number): void {
    const count = this.#ownInFlight[slot];
    if (count === undefined) throw new RangeError(`there is no slot ${slot}`);
    this.#ownInFlight[slot] = count + 1;
  }

  /**
   * As `begin`, if no more than `max` are in flight then, over all workers; else nothing has happened. Two workers
   * that ask for the last place at the same instant may both be refused, never both be let in.
   */
  tryBegin(slot: number, max: number): boolean {
    // Atomic, so that it is there before the others' are read, who may be doing the same.
    Atomics.add(this.#ownInFlight, slot, 1);
    let sum = 0;
    for (const ofWorker of this.#inFlight) sum += Atomics.load(ofWorker, slot);
    if (sum <= max) return true;
    this.end(slot);
    return false;
  }

  end(slot: number): void {
    this.#ownInFlight[slot] = (this.#ownInFlight[slot] as number) - 1;
  }

  /**
   * Over all workers. A sum, not a counter of its own: a thread that is terminated between two counters
   * would leave them apart for good. Read plainly, since integers do not tear and atomic loads take three
   * times as long.
   */
  inFlight(slot: number): number {
    const workers = this.#inFlight;
    let sum = 0;
    for (let worker = 0; worker < workers.length; worker++) sum += workers[worker]?.[slot] ?? 0;
    return sum;
  }

  /** Takes back what a worker had in flight. Only after its thread has ended. */
  forgetWorker(worker: number): void {
    this.#inFlight[worker]?.fill(0);
  }

  // -- latency ---------------------------------------------------------------------------------------

  /**
   * Feeds the estimate, an exponentially weighted mean by time that follows a rise at once and a fall
   * slowly: Finagle's PeakEwma (com.twitter.finagle.loadbalancer), which linkerd's proxy uses as well.
   * `ms` is more than 0. Not for failures: an upstream that fails fast would look fast.
   */
  observeLatency(slot: number, ms: number, nowMs: number): void {
    const estimateMs = this.#latencyMs[slot] ?? 0;
    const kept = ms > estimateMs ? 0 : this.#decay(slot, nowMs);
    this.#latencyMs[slot] = estimateMs * kept + ms * (1 - kept);
    this.#latencyAtMs[slot] = nowMs;
  }

  /** Falls towards 0 without news, so that an upstream that was slow is tried again; 0 is "no idea". */
  latencyMs(slot: number, nowMs: number): number {
    const estimateMs = this.#latencyMs[slot] ?? 0;
    return estimateMs === 0 ? 0 : estimateMs * this.#decay(slot, nowMs);
  }

  /** How much of the estimate is left by now. Other workers' clocks may be a hair ahead. */
  #decay(slot: number, nowMs: number): number {
    const age = Math.max(0, nowMs - (this.#latencyAtMs[slot] as number)) / LATENCY_DECAY_MS;
    // The first terms of its series, right to 2e-7, take a fifth of the instructions.
    return age < YOUNG ? 1 - age + (age * age) / 2 : Math.exp(-age);
  }

  // -- turns and rows --------------------------------------------------------------------------------

  /** The pool's next number, 0 … 2^32 − 1, over all workers; then it starts again. */
  nextTurn(poolSlot: number): number {
    return Atomics.add(this.#cursors, poolSlot, 1) >>> 0;
  }

  /** For a slot that another upstream takes over. What is still in flight ends by itself. */
  reset(slot: number): void {
    this.#latencyMs[slot] = 0;
    this.admission.reset(slot);
    this.outcomes.forget(slot);
  }
}

/** The cells as balancing strategies see them, at the clock's time. */
export function loadView(cells: UpstreamCells, clock: Clock): LoadView {
  return {
    inFlight: (slot) => cells.inFlight(slot),
    latencyMs: (slot) => cells.latencyMs(slot, clock.monotonicMs()),
    nextTurn: (poolSlot) => cells.nextTurn(poolSlot),
  };
}
