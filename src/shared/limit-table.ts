import { type HashKey, hash64 } from '#core/hash.ts';
import { type Decision, emptyDecision } from '#core/limits/decision.ts';
import { takeGcra } from '#core/limits/gcra.ts';
import { LOG_LENGTH, takeSlidingWindow } from '#core/limits/sliding-window.ts';
import type { Quota } from '#core/table.ts';
import { LimitCells } from './limit-cells.ts';

/** What `LimitTable.attach` needs in another thread; may be sent there in a message. */
export type LimitMemory = {
  readonly gcra: SharedArrayBuffer;
  readonly slidingWindow: SharedArrayBuffer;
  readonly hashKey: HashKey;
};

export type LimitTableSettings = {
  /** Clients remembered at once, for each algorithm. */
  readonly keysMax: number;
  /** Random and secret: who knows it can choose keys that displace each other. */
  readonly hashKey: HashKey;
};

/** The worker number of the creating thread, whose locks, -1, are then no worker's. */
const CREATOR = -2;

/** A GCRA cell has no state but its theoretical arrival time, and that is when it is idle. */
const GCRA_LOG_LENGTH = 0;

/**
 * What each client has used of its limits, exact across the threads of an instance: whatever number of
 * them take from one key at once, no request is counted twice or not at all. Of fixed size whatever
 * number of keys there are; see docs/decisions/002-limit-table.md.
 */
export class LimitTable {
  readonly memory: LimitMemory;
  readonly #gcra: LimitCells;
  readonly #slidingWindow: LimitCells;
  readonly #hash = new Int32Array(2);

  /** A new table. A key takes 16 bytes for `gcra`, 288 for `sliding_window`, once it is used. */
  static create(settings: LimitTableSettings): LimitTable {
    const { keysMax, hashKey } = settings;
    const gcra = LimitCells.allocate(keysMax, GCRA_LOG_LENGTH);
    const slidingWindow = LimitCells.allocate(keysMax, LOG_LENGTH);
    return new LimitTable({ gcra, slidingWindow, hashKey }, CREATOR);
  }

  /** The table in `memory` as the thread of `worker`, a number of its own from 0, takes from it. */
  static attach(memory: LimitMemory, worker: number): LimitTable {
    return new LimitTable(memory, worker);
  }

  private constructor(memory: LimitMemory, worker: number) {
    this.memory = memory;
    this.#gcra = new LimitCells(memory.gcra, GCRA_LOG_LENGTH, worker);
    this.#slidingWindow = new LimitCells(memory.slidingWindow, LOG_LENGTH, worker);
  }

  /**
   * Counts one request of `keyText` (see `clientKey`) at `nowMs` of the monotonic clock against `quota`.
   * A refused request counts nothing. Another quota of the same key, such as that of another tier or of
   * a newer configuration, has a cell of its own.
   */
  take(keyText: string, quota: Quota, nowMs: number): Readonly<Decision> {
    hash64(this.memory.hashKey, keyText, this.#hash);
    const [low = 0, keyHigh = 0] = this.#hash;
    const high = keyHigh ^ fingerprint(quota);
    const cells = quota.kind === 'gcra' ? this.#gcra : this.#slidingWindow;
    const set = cells.setOf(low);
    const decision = emptyDecision();

    cells.locks.acquire(set);
    try {
      const cell = cells.find(set, low, high);
      cells.idleAtMs[cell] =
        quota.kind === 'gcra'
          ? takeGcra(cells.idleAtMs[cell] ?? 0, nowMs, quota, decision)
          : takeSlidingWindow(cells.logs, cell * LOG_LENGTH, nowMs, quota, decision);
    } finally {
      cells.locks.release(set);
    }
    return decision;
  }

  /** Frees what a worker held when it died; to be called before another worker gets its number. */
  releaseLocksOf(worker: number): void {
    this.#gcra.locks.releaseAllOf(worker);
    this.#slidingWindow.locks.releaseAllOf(worker);
  }

  /** Keys that have something used at `nowMs`, for metrics: off by what other threads change meanwhile. */
  keysInUse(nowMs: number): number {
    return this.#gcra.inUse(nowMs) + this.#slidingWindow.inUse(nowMs);
  }
}

/** Tells quotas apart. They come from the configuration, not from clients, so it needs no secret. */
function fingerprint(quota: Quota): number {
  const burst = quota.kind === 'gcra' ? quota.burst : 0;
  return (
    Math.imul(quota.requests, 0x9e3779b1) ^
    Math.imul(quota.windowMs, 0x85ebca6b) ^
    Math.imul(burst, 0xc2b2ae35)
  );
}
