import type { Pool, Upstream } from '#core/table.ts';
import type { Candidates } from './strategy.ts';

/** What the control plane says of an upstream: the verdict on its health, unless an operator says more. */
export type Admission = 'up' | 'down' | 'drain' | 'maintenance';

/** What every worker knows of the upstreams that may be picked now. */
export interface AdmissionView {
  /** Changes with every event that may have changed what is below; time passing is no event. */
  epoch(): number;
  admission(slot: number): Admission;
  /** On the monotonic clock: when it was admitted again; -Infinity if it was never anything but up. */
  recoveredAtMs(slot: number): number;
  /** On the monotonic clock; in the past, or 0, if the slot's upstream is not avoided. */
  avoidedUntilMs(slot: number): number;
  /** Whether the slot's upstream could not be reached, and has not been since. */
  isDoubtful(slot: number): boolean;
  /**
   * Asks to be the one who finds out whether a doubtful upstream, which is not avoided any more, can be
   * reached again. To all others it is avoided again meanwhile.
   */
  claimProbe(slot: number, nowMs: number): boolean;
}

/**
 * The candidates of one pool. Asking is two comparisons; they are put together anew only after an event,
 * or when the first upstream's time is over (of avoidance, of slow start), and remain the same objects if
 * nothing changed for this pool.
 */
export class CandidateSet {
  readonly #pool: Pool;
  readonly #view: AdmissionView;
  #all: Candidates;
  #preferred: Candidates;
  #hasNewcomers = false;
  #epoch = 0;
  #staleAtMs = -Infinity;

  constructor(pool: Pool, view: AdmissionView) {
    this.#pool = pool;
    this.#view = view;
    this.#all = { upstreams: pool.upstreams, members: pool.upstreams, poolSlot: pool.slot };
    this.#preferred = this.#all;
  }

  /** Those admitted and not avoided at `nowMs` (monotonic), or all admitted ones if all are avoided. */
  at(nowMs: number): Candidates {
    // Read before the rest: an event in between then shows as another epoch the next time.
    const epoch = this.#view.epoch();
    if (epoch !== this.#epoch || nowMs >= this.#staleAtMs) {
      this.#refresh(nowMs);
      this.#epoch = epoch;
    }
    return this.#preferred;
  }

  /** Those and the avoided ones, as of the last call of `at`. */
  get all(): Candidates {
    return this.#all;
  }

  /** Whether one among those of the last call of `at` is in doubt, or has a slow start. */
  get hasNewcomers(): boolean {
    return this.#hasNewcomers;
  }

  #refresh(nowMs: number): void {
    this.#staleAtMs = Infinity;
    this.#hasNewcomers = false;
    this.#all = this.#renewed(this.#all, this.#admitted());
    const preferred = this.#all.upstreams.filter((upstream) => this.#isPreferred(upstream, nowMs));
    this.#preferred = preferred.length === 0 ? this.#all : this.#renewed(this.#preferred, preferred);
  }

  /**
   * Those that are up; all that are ready if too few of them are up, since a verdict that is wrong, or right
   * about too many, would send everything to the few that are left.
   */
  #admitted(): readonly Upstream[] {
    const ready = this.#pool.upstreams.filter((upstream) => this.#isReady(upstream));
    const up = ready.filter(({ slot }) => this.#view.admission(slot) === 'up');
    return up.length < ready.length * this.#pool.panicThreshold ? ready : up;
  }

  /** The table says it for good, the cells at once. */
  #isReady({ state, slot }: Upstream): boolean {
    const admission = this.#view.admission(slot);
    return state === 'ready' && admission !== 'drain' && admission !== 'maintenance';
  }

  #isPreferred({ slot }: Upstream, nowMs: number): boolean {
    const avoidedUntilMs = this.#view.avoidedUntilMs(slot);
    const slowUntilMs = this.#view.recoveredAtMs(slot) + this.#pool.slowStartMs;
    for (const dueMs of [avoidedUntilMs, slowUntilMs])
      if (dueMs > nowMs) this.#staleAtMs = Math.min(this.#staleAtMs, dueMs);
    if (avoidedUntilMs > nowMs) return false;
    this.#hasNewcomers ||= slowUntilMs > nowMs || this.#view.isDoubtful(slot);
    return true;
  }

  /** The same object unless they differ, so that strategies can tell by it. */
  #renewed(candidates: Candidates, upstreams: readonly Upstream[]): Candidates {
    return areEqual(upstreams, candidates.upstreams) ? candidates : { ...candidates, upstreams };
  }
}

function areEqual(a: readonly Upstream[], b: readonly Upstream[]): boolean {
  return a.length === b.length && a.every((upstream, index) => upstream === b[index]);
}
