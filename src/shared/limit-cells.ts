/**
 * A set-associative table of fixed size in shared memory: one cell per key, eight cells a set, one lock
 * a set. A key may be in any cell of its set and in no other, so finding it reads two cache lines and
 * nothing ever moves, grows or is swept.
 *
 * A key that is new to a full set takes over an idle cell (one as good as empty), otherwise the one
 * that will be idle soonest: what is forgotten is the client that has used least, not the one that is
 * being held back. A flood of new keys thus displaces its own.
 */

import { Locks } from './locks.ts';

const WAYS = 8;
const WORDS_PER_HASH = 2;
const WORDS_PER_ACCOUNT = 2;
/** Its lock, and whether it owes. */
const WORDS_PER_SET = 2;

/** A key, the quota that it counts against, and how much of that was taken. */
export type Settle = (low: number, high: number, quota: number, count: number) => void;

export class LimitCells {
  /** To be held, by set, while a cell of the set is found, read and written. */
  readonly locks: Locks;
  /** Per cell: when it is as good as empty, in milliseconds of the monotonic clock. */
  readonly idleAtMs: Float64Array<SharedArrayBuffer>;
  /** Per cell: `logLength` numbers of the algorithm's own, all zero in a new cell. */
  readonly logs: Float64Array<SharedArrayBuffer>;
  readonly #logLength: number;
  readonly #hashes: Int32Array<SharedArrayBuffer>;
  /** Per cell: the quota that it counts against, and what was taken that others have not been told of. */
  readonly #accounts: Int32Array<SharedArrayBuffer>;
  /** Per set: whether there may be something that others have not been told of. Most sets have nothing. */
  readonly #owing: Int32Array<SharedArrayBuffer>;
  readonly #sets: number;

  /** Memory for at least `keysMax` keys; the system commits its pages only as they are used. */
  static allocate(keysMax: number, logLength: number): SharedArrayBuffer {
    return new SharedArrayBuffer(Math.ceil(keysMax / WAYS) * bytesPerSet(logLength));
  }

  /** The cells in `memory` as the thread of `worker` sees them; `logLength` as it was allocated with. */
  constructor(memory: SharedArrayBuffer, logLength: number, worker: number) {
    this.#sets = memory.byteLength / bytesPerSet(logLength);
    this.#logLength = logLength;
    const cells = this.#sets * WAYS;
    this.idleAtMs = new Float64Array(memory, 0, cells);
    this.logs = new Float64Array(memory, this.idleAtMs.byteLength, cells * logLength);
    const hashesAt = this.logs.byteOffset + this.logs.byteLength;
    this.#hashes = new Int32Array(memory, hashesAt, cells * WORDS_PER_HASH);
    const accountsAt = hashesAt + this.#hashes.byteLength;
    this.#accounts = new Int32Array(memory, accountsAt, cells * WORDS_PER_ACCOUNT);
    const owingAt = accountsAt + this.#accounts.byteLength;
    this.#owing = new Int32Array(memory, owingAt, this.#sets);
    const locksAt = owingAt + this.#owing.byteLength;
    this.locks = new Locks(new Int32Array(memory, locksAt, this.#sets), worker);
  }

  /** The set of a key, from its hash's low word. */
  setOf(low: number): number {
    return Math.floor(((low >>> 0) / 2 ** 32) * this.#sets);
  }

  /** The key's cell, an emptied one if it had none. The caller holds the lock of its set. */
  find(set: number, low: number, high: number): number {
    const first = set * WAYS;
    let victim = first;
    for (let cell = first; cell < first + WAYS; cell++) {
      const at = cell * WORDS_PER_HASH;
      if (this.#hashes[at] === low && this.#hashes[at + 1] === high) return cell;
      if (this.#idleAt(cell) < this.#idleAt(victim)) victim = cell;
    }
    this.#claim(victim, low, high);
    return victim;
  }

  /** Notes that a request was let through that others have to be told of. The caller holds the lock. */
  owe(cell: number, quota: number): void {
    const at = cell * WORDS_PER_ACCOUNT;
    this.#owing[Math.floor(cell / WAYS)] = 1;
    this.#accounts[at] = quota;
    this.#accounts[at + 1] = (this.#accounts[at + 1] ?? 0) + 1;
  }

  /** Hands out what has been owed since the last time. */
  settle(visit: Settle): void {
    for (let set = 0; set < this.#sets; set++) {
      if (this.#owing[set] === 0) continue;
      this.locks.acquire(set);
      this.#owing[set] = 0;
      this.locks.release(set);
      for (let cell = set * WAYS; cell < (set + 1) * WAYS; cell++) this.#settleCell(set, cell, visit);
    }
  }

  /** Cells that are not idle. Reads without locks, so it may miss by what is changing just now. */
  inUse(nowMs: number): number {
    let cells = 0;
    for (const idleAtMs of this.idleAtMs) if (idleAtMs > nowMs) cells++;
    return cells;
  }

  #settleCell(set: number, cell: number, visit: Settle): void {
    const accounts = this.#accounts;
    const at = cell * WORDS_PER_ACCOUNT;
    if (accounts[at + 1] === 0) return;
    this.locks.acquire(set);
    const [low = 0, high = 0] = this.#hashes.subarray(cell * WORDS_PER_HASH, (cell + 1) * WORDS_PER_HASH);
    const [quota = 0, count = 0] = accounts.subarray(at, at + WORDS_PER_ACCOUNT);
    accounts[at + 1] = 0;
    this.locks.release(set);
    visit(low, high, quota, count);
  }

  // Emptied before it is named: if the thread dies in between, no key inherits another one's history.
  #claim(cell: number, low: number, high: number): void {
    this.idleAtMs[cell] = 0;
    this.logs.fill(0, cell * this.#logLength, (cell + 1) * this.#logLength);
    this.#accounts.fill(0, cell * WORDS_PER_ACCOUNT, (cell + 1) * WORDS_PER_ACCOUNT);
    this.#hashes[cell * WORDS_PER_HASH] = low;
    this.#hashes[cell * WORDS_PER_HASH + 1] = high;
  }

  #idleAt(cell: number): number {
    return this.idleAtMs[cell] ?? 0;
  }
}

function bytesPerSet(logLength: number): number {
  const lengthsPerCell = 1 + logLength;
  return (
    WAYS * lengthsPerCell * Float64Array.BYTES_PER_ELEMENT +
    WAYS * (WORDS_PER_HASH + WORDS_PER_ACCOUNT) * Int32Array.BYTES_PER_ELEMENT +
    WORDS_PER_SET * Int32Array.BYTES_PER_ELEMENT
  );
}
