import type { Pool, Upstream } from '#core/table.ts';
import type { Candidates } from './strategy.ts';

/** What every worker knows about upstreams that could not be reached a moment ago. */
export interface AvoidanceView {
  /** Changes with every event that may have changed the avoided upstreams; time passing is no event. */
  epoch(): number;
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
 * or when the first avoided upstream's time is over, and remain the same objects if nothing changed for
 * this pool.
 */
export class CandidateSet {
  readonly #avoidance: AvoidanceView;
  #all: Candidates;
  #preferred: Candidates;
  #hasDoubtful = false;
  #epoch = 0;
  #staleAtMs = -Infinity;

  constructor(pool: Pool, avoidance: AvoidanceView) {
    this.#avoidance = avoidance;
    this.#all = { upstreams: pool.upstreams, members: pool.upstreams, poolSlot: pool.slot };
    this.#preferred = this.#all;
  }

  /** The upstreams not avoided at `nowMs` (monotonic), or all of them if all are. */
  at(nowMs: number): Candidates {
    // Read before the deadlines: an event in between then shows as another epoch the next time.
    const epoch = this.#avoidance.epoch();
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

  /** Whether there was one among them, at the last call of `at`, that has yet to be reached again. */
  get hasDoubtful(): boolean {
    return this.#hasDoubtful;
  }

  #refresh(nowMs: number): void {
    this.#staleAtMs = Infinity;
    this.#hasDoubtful = false;
    const preferred: Upstream[] = [];
    for (const upstream of this.#all.upstreams) {
      const untilMs = this.#avoidance.avoidedUntilMs(upstream.slot);
      if (untilMs > nowMs) {
        this.#staleAtMs = Math.min(this.#staleAtMs, untilMs);
        continue;
      }
      preferred.push(upstream);
      this.#hasDoubtful ||= this.#avoidance.isDoubtful(upstream.slot);
    }
    if (preferred.length === 0) this.#preferred = this.#all;
    else if (!areEqual(preferred, this.#preferred.upstreams))
      this.#preferred = { ...this.#all, upstreams: preferred };
  }
}

function areEqual(a: readonly Upstream[], b: readonly Upstream[]): boolean {
  return a.length === b.length && a.every((upstream, index) => upstream === b[index]);
}
