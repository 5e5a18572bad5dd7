import type { Pool, Upstream } from '#core/table.ts';
import type { Candidates } from './strategy.ts';

/** What every worker knows about upstreams that could not be reached a moment ago. */
export interface AvoidanceView {
  /** Changes with every event that may have changed the avoided upstreams; time passing is no event. */
  epoch(): number;
  /** On the monotonic clock; in the past, or 0, if the slot's upstream is not avoided. */
  avoidedUntilMs(slot: number): number;
}

/**
 * The candidates of one pool. Asking is two comparisons; they are put together anew only after an event,
 * or when the first avoided upstream's time is over, and remain the same object if nothing changed for
 * this pool.
 */
export class CandidateSet {
  readonly #pool: Pool;
  readonly #avoidance: AvoidanceView;
  #candidates: Candidates;
  #epoch = 0;
  #staleAtMs = -Infinity;

  constructor(pool: Pool, avoidance: AvoidanceView) {
    this.#pool = pool;
    this.#avoidance = avoidance;
    this.#candidates = { upstreams: pool.upstreams, members: pool.upstreams, poolSlot: pool.slot };
  }

  /** The upstreams not avoided at `nowMs` (monotonic); none if all are. */
  at(nowMs: number): Candidates {
    // Read before the deadlines: an event in between then shows as another epoch the next time.
    const epoch = this.#avoidance.epoch();
    if (epoch !== this.#epoch || nowMs >= this.#staleAtMs) {
      this.#refresh(nowMs);
      this.#epoch = epoch;
    }
    return this.#candidates;
  }

  #refresh(nowMs: number): void {
    this.#staleAtMs = Infinity;
    const upstreams: Upstream[] = [];
    for (const upstream of this.#pool.upstreams) {
      const untilMs = this.#avoidance.avoidedUntilMs(upstream.slot);
      if (untilMs <= nowMs) upstreams.push(upstream);
      else this.#staleAtMs = Math.min(this.#staleAtMs, untilMs);
    }
    if (!areEqual(upstreams, this.#candidates.upstreams)) {
      this.#candidates = { ...this.#candidates, upstreams };
    }
  }
}

function areEqual(a: readonly Upstream[], b: readonly Upstream[]): boolean {
  return a.length === b.length && a.every((upstream, index) => upstream === b[index]);
}
