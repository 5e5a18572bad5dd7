/**
 * Which upstreams may be picked now. The control plane says whether one is admitted; workers say whether one
 * could be reached a moment ago, so that the others avoid it until that time is over.
 *
 * Where two workers report on one upstream at the same instant, one of the reports may be lost.
 */
import type { Admission, AdmissionView } from '#core/balance/candidates.ts';
import type { Rows } from './rows.ts';

/** The first failure to connect; doubles with each one that follows without a success in between. */
export const AVOID_FIRST_MS = 100;
export const AVOID_MAX_MS = 10_000;

/** As they stand in memory; what was never written is up. */
const ADMISSIONS: readonly Admission[] = ['up', 'down', 'drain', 'maintenance'];

export class AdmissionCells implements AdmissionView {
  static readonly DOUBLES = 2;
  static readonly INTEGERS = 2;

  readonly #epoch: Int32Array;
  #epochSeen = 0;
  readonly #admissions: Int32Array;
  readonly #recoveredAtMs: Float64Array;
  readonly #failures: Int32Array;
  readonly #avoidedUntilMs: Float64Array;

  /** `epoch` is one number, best a cache line apart: every worker reads it for every request. */
  constructor(epoch: Int32Array, rows: Rows) {
    this.#epoch = epoch;
    this.#admissions = rows.integers();
    this.#recoveredAtMs = rows.doubles();
    this.#failures = rows.integers();
    this.#avoidedUntilMs = rows.doubles();
  }

  /** A plain read, mostly. Atomic when there is news, so that what is read next is no older. */
  epoch(): number {
    if (this.#epoch[0] !== this.#epochSeen) this.#epochSeen = Atomics.load(this.#epoch, 0);
    return this.#epochSeen;
  }

  // -- said by the control plane -----------------------------------------------------------------------

  admission(slot: number): Admission {
    return ADMISSIONS[this.#admissions[slot] ?? 0] ?? 'up';
  }

  /** For the control plane alone. One that comes up again has a slow start, and is in doubt no more. */
  admit(slot: number, admission: Admission, nowMs: number): void {
    if (admission === this.admission(slot)) return;
    if (admission === 'up') {
      this.#recoveredAtMs[slot] = nowMs;
      this.#trust(slot);
    }
    Atomics.store(this.#admissions, slot, ADMISSIONS.indexOf(admission));
    this.#announce();
  }

  recoveredAtMs(slot: number): number {
    return this.#recoveredAtMs[slot] || -Infinity;
  }

  // -- said by workers ---------------------------------------------------------------------------------

  avoidedUntilMs(slot: number): number {
    return this.#avoidedUntilMs[slot] ?? 0;
  }

  isAvoided(slot: number, nowMs: number): boolean {
    return nowMs < this.avoidedUntilMs(slot);
  }

  isDoubtful(slot: number): boolean {
    return (this.#failures[slot] ?? 0) > 0;
  }

  /**
   * No connection could be made: the upstream is avoided for 100 ms × 2^(failures in a row before), at
   * most 10 s. Attempts that were under way when it was found out fail too, and count as the same failure:
   * returns whether this is another one.
   */
  reportUnreachable(slot: number, nowMs: number): boolean {
    return this.#avoid(slot, nowMs);
  }

  /**
   * Whether the caller is the one to find out if an upstream can be reached that is not avoided any more.
   * Counts as one more failure until a success is told, so that nobody else does the same meanwhile; if
   * neither is told, the next one's turn comes after that time.
   */
  claimProbe(slot: number, nowMs: number): boolean {
    return this.#avoid(slot, nowMs);
  }

  /** A connection was made. A plain read unless it ends a row of failures. */
  reportReachable(slot: number): void {
    if (!this.isDoubtful(slot)) return;
    this.#trust(slot);
    this.#announce();
  }

  /** For a slot that another upstream takes over. */
  reset(slot: number): void {
    this.#trust(slot);
    this.#recoveredAtMs[slot] = 0;
    Atomics.store(this.#admissions, slot, 0);
    this.#announce();
  }

  /** Whether the upstream is avoided because of this call. */
  #avoid(slot: number, nowMs: number): boolean {
    const failures = Atomics.load(this.#failures, slot);
    if (this.isAvoided(slot, nowMs)) return false;
    if (Atomics.compareExchange(this.#failures, slot, failures, failures + 1) !== failures) return false;
    this.#avoidedUntilMs[slot] = nowMs + Math.min(AVOID_MAX_MS, AVOID_FIRST_MS * 2 ** failures);
    this.#announce();
    return true;
  }

  #trust(slot: number): void {
    this.#avoidedUntilMs[slot] = 0;
    Atomics.store(this.#failures, slot, 0);
  }

  #announce(): void {
    Atomics.add(this.#epoch, 0, 1);
  }
}
