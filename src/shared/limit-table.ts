import { HashedText, type HashKey } from '#core/hash.ts';
import { type Decision, emptyDecision } from '#core/limits/decision.ts';
import { chargeGcra, takeGcra } from '#core/limits/gcra.ts';
import { quotaPrint, shareOf } from '#core/limits/quota.ts';
import { chargeSlidingWindow, LOG_LENGTH, takeSlidingWindow } from '#core/limits/sliding-window.ts';
import type { Quota } from '#core/table.ts';
import { LimitCells, type Settle } from './limit-cells.ts';

/** What `LimitTable.attach` needs in another thread; may be sent there in a message. */
export type LimitMemory = {
  readonly gcra: SharedArrayBuffer;
  readonly slidingWindow: SharedArrayBuffer;
  /** The two words of the hash key, and the number of instances that a shared quota is divided by. */
  readonly terms: SharedArrayBuffer;
};

/** A client of a shared limit as instances name it to each other: 64 bits of its keyed hash. */
export type SharedKey = { readonly low: number; readonly high: number };

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

const TERMS_LENGTH = 3;
const DIVISOR = 2;

/**
 * What each client has used of its limits, exact across the threads of an instance: whatever number of
 * them take from one key at once, no request is counted twice or not at all. Of fixed size whatever
 * number of keys there are; see docs/decisions/002-limit-table.md.
 */
export class LimitTable {
  readonly memory: LimitMemory;
  readonly #gcra: LimitCells;
  readonly #slidingWindow: LimitCells;
  readonly #terms: Int32Array<SharedArrayBuffer>;
  /** As it was last read from the terms: a request makes no array of its own. */
  #hashKey: HashKey = [0, 0];

  /** A new table. A key takes 24 bytes for `gcra`, 296 for `sliding_window`, once it is used. */
  static create(settings: LimitTableSettings): LimitTable {
    const { keysMax, hashKey } = settings;
    const gcra = LimitCells.allocate(keysMax, GCRA_LOG_LENGTH);
    const slidingWindow = LimitCells.allocate(keysMax, LOG_LENGTH);
    const terms = new SharedArrayBuffer(TERMS_LENGTH * Int32Array.BYTES_PER_ELEMENT);
    const table = new LimitTable({ gcra, slidingWindow, terms }, CREATOR);
    table.rekey(hashKey);
    table.divide(1);
    return table;
  }

  /** The table in `memory` as the thread of `worker`, a number of its own from 0, takes from it. */
  static attach(memory: LimitMemory, worker: number): LimitTable {
    return new LimitTable(memory, worker);
  }

  private constructor(memory: LimitMemory, worker: number) {
    this.memory = memory;
    this.#gcra = new LimitCells(memory.gcra, GCRA_LOG_LENGTH, worker);
    this.#slidingWindow = new LimitCells(memory.slidingWindow, LOG_LENGTH, worker);
    this.#terms = new Int32Array(memory.terms);
  }

  /** What the keys are hashed with. */
  get hashKey(): HashKey {
    const [k0, k1] = this.#hashKey;
    const now0 = this.#terms[0] ?? 0;
    const now1 = this.#terms[1] ?? 0;
    if (k0 !== now0 || k1 !== now1) this.#hashKey = [now0, now1];
    return this.#hashKey;
  }

  /** Hashes with another key from now on, in all threads; what was counted before is forgotten. */
  rekey([k0, k1]: HashKey): void {
    this.#terms[0] = k0;
    this.#terms[1] = k1;
  }

  /** Shared quotas are divided by `instances`, at least 1, from now on, in all threads. */
  divide(instances: number): void {
    this.#terms[DIVISOR] = instances;
  }

  /** As `takeOf`, of a client that is not known yet. */
  take(keyText: string, quota: Quota, nowMs: number, isShared: boolean): Readonly<Decision> {
    return this.takeOf(new HashedText(keyText), quota, nowMs, isShared);
  }

  /**
   * Counts one request of `client` (see `ClientKeys`) at `nowMs` of the monotonic clock against `quota`,
   * which other instances share or not. A refused request counts nothing. Another quota of the same key,
   * such as that of another tier or of a newer configuration, has a cell of its own.
   */
  takeOf(client: HashedText, quota: Quota, nowMs: number, isShared: boolean): Readonly<Decision> {
    client.hashWith(this.hashKey);
    const { low } = client;
    const print = quotaPrint(quota);
    const high = client.high ^ print;
    const granted = isShared ? shareOf(quota, this.#terms[DIVISOR] ?? 1) : quota;
    const cells = this.#cellsOf(quota);
    const set = cells.setOf(low);
    const decision = emptyDecision();

    cells.locks.acquire(set);
    try {
      const cell = cells.find(set, low, high);
      cells.idleAtMs[cell] =
        granted.kind === 'gcra'
          ? takeGcra(cells.idleAtMs[cell] ?? 0, nowMs, granted, decision)
          : takeSlidingWindow(cells.logs, cell * LOG_LENGTH, nowMs, granted, decision);
      if (isShared && decision.allowed) cells.owe(cell, print);
    } finally {
      cells.locks.release(set);
    }
    return decision;
  }

  /** Counts `count` requests that another instance let through. */
  charge({ low, high }: SharedKey, quota: Quota, count: number, nowMs: number): void {
    const cells = this.#cellsOf(quota);
    const set = cells.setOf(low);
    cells.locks.acquire(set);
    try {
      const cell = cells.find(set, low, high);
      cells.idleAtMs[cell] =
        quota.kind === 'gcra'
          ? chargeGcra(cells.idleAtMs[cell] ?? 0, nowMs, quota, count)
          : chargeSlidingWindow(cells.logs, cell * LOG_LENGTH, nowMs, quota, count);
    } finally {
      cells.locks.release(set);
    }
  }

  /** Hands out, by key and `quotaPrint`, what was taken of shared quotas since the last time. */
  settle(visit: Settle): void {
    this.#gcra.settle(visit);
    this.#slidingWindow.settle(visit);
  }

  /** Frees what a worker held when it died; to be called before another worker gets its number. */
  releaseLocksOf(worker: number): void {
    this.#gcra.locks.releaseAllOf(worker);
    this.#slidingWindow.locks.releaseAllOf(worker);
  }

  /** Keys that have something used at `nowMs`: off by what other threads change meanwhile. */
  keysInUse(nowMs: number): number {
    return this.#gcra.inUse(nowMs) + this.#slidingWindow.inUse(nowMs);
  }

  #cellsOf(quota: Quota): LimitCells {
    return quota.kind === 'gcra' ? this.#gcra : this.#slidingWindow;
  }
}
