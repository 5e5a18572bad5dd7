import type { Pool, Upstream } from '#core/table.ts';
import { type AvoidanceView, CandidateSet } from './candidates.ts';
import type { Candidates, PickRequest, Strategy } from './strategy.ts';
import { isTried } from './tried.ts';

/**
 * One worker's choices among the upstreams of one pool: its strategy, over those that are not avoided.
 *
 * Avoidance is a preference. Where it would leave nobody to try, avoided upstreams are tried as well, since
 * a try that fails costs less than a request that was not even tried. When an avoided upstream's time is
 * over, one request finds out whether it can be reached again; the rest goes on to the others until then.
 */
export class Balancer {
  readonly #avoidance: AvoidanceView;
  readonly #candidates: CandidateSet;
  readonly #strategy: Strategy;

  constructor(pool: Pool, strategy: Strategy, avoidance: AvoidanceView) {
    this.#avoidance = avoidance;
    this.#candidates = new CandidateSet(pool, avoidance);
    this.#strategy = strategy;
  }

  /** An upstream not tried yet, if there is one, avoided or not; undefined if the pool has none at all. */
  pick(request: PickRequest, nowMs: number): Upstream | undefined {
    const candidates = this.#candidates.at(nowMs);
    if (hasUntried(candidates, request.tried)) return this.#pickUndoubted(candidates, request, nowMs);
    const { all } = this.#candidates;
    if (hasUntried(all, request.tried)) return this.#strategy.pick(all, request);
    return this.#strategy.pick(candidates, { ...request, tried: [] });
  }

  /** Whether there is an upstream that is not avoided and not among these. */
  hasUntried(tried: readonly Upstream[], nowMs: number): boolean {
    return hasUntried(this.#candidates.at(nowMs), tried);
  }

  #pickUndoubted(candidates: Candidates, request: PickRequest, nowMs: number): Upstream | undefined {
    const first = this.#strategy.pick(candidates, request);
    if (!this.#candidates.hasDoubtful) return first;
    const passedOver: Upstream[] = [];
    for (let picked = first; picked !== undefined; ) {
      if (this.#isAccepted(picked, request, nowMs)) return picked;
      passedOver.push(picked);
      picked = this.#strategy.pick(candidates, { ...request, tried: [...request.tried, ...passedOver] });
    }
    return first;
  }

  /** A request that fails over has had its share of bad luck, and probes nothing. */
  #isAccepted({ slot }: Upstream, { tried }: PickRequest, nowMs: number): boolean {
    if (!this.#avoidance.isDoubtful(slot)) return true;
    return tried.length === 0 && this.#avoidance.claimProbe(slot, nowMs);
  }
}

function hasUntried({ upstreams }: Candidates, tried: readonly Upstream[]): boolean {
  return upstreams.some((upstream) => !isTried(tried, upstream));
}
