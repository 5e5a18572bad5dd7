import { integerBelow, type Random } from '#core/random.ts';
import type { Pool, Upstream } from '#core/table.ts';
import { type AdmissionView, CandidateSet } from './candidates.ts';
import type { Candidates, PickRequest, Strategy } from './strategy.ts';
import { isTried } from './tried.ts';

/** Of the requests that would go to an upstream, those that do at the very start of its slow start. */
const SLOW_START_SHARE_MIN = 0.1;

/** Full upstreams that a strategy picks in vain, each at the cost of a pick; beyond, those with room are few. */
const PASSED_OVER_MAX = 8;

/** Whether an upstream has as many requests in flight as it may. */
type IsFull = (upstream: Upstream) => boolean;

/**
 * One worker's choices among the upstreams of one pool: its strategy, over those that are admitted.
 *
 * Avoidance is a preference. Where it would leave nobody to try, avoided upstreams are tried as well, since
 * a try that fails costs less than a request that was not even tried.
 *
 * Newcomers have to be accepted, whatever the strategy; a request that is not goes to another upstream, if
 * there is one. When an avoided upstream's time is over, one request finds out whether it can be reached
 * again, and the rest goes on to the others until then. One that has recovered takes a tenth of what it is
 * given, and more with time until its slow start is over. (What it does not take in a round robin goes to the
 * next, so there it is as if its weight grew, as in Envoy's slow start.)
 */
export class Balancer {
  readonly #pool: Pool;
  readonly #view: AdmissionView;
  readonly #random: Random;
  readonly #candidates: CandidateSet;
  readonly #strategy: Strategy;

  constructor(pool: Pool, strategy: Strategy, view: AdmissionView, random: Random) {
    this.#pool = pool;
    this.#view = view;
    this.#random = random;
    this.#candidates = new CandidateSet(pool, view);
    this.#strategy = strategy;
  }

  /** An upstream not tried yet, if one is admitted, avoided or not; undefined if none is admitted. */
  pick(request: PickRequest, nowMs: number): Upstream | undefined {
    const candidates = this.#candidates.at(nowMs);
    if (hasUntried(candidates, request.tried))
      return this.#pickAccepted(candidates, request, request.tried.length === 0, nowMs);
    const { all } = this.#candidates;
    if (hasUntried(all, request.tried)) return this.#strategy.pick(all, request);
    return this.#strategy.pick(candidates, { ...request, tried: [] });
  }

  /**
   * The same; `full` if all are that it would choose among. To wait for one of them is better than to try an
   * upstream again, or one that could not be reached.
   */
  pickUnlessFull(request: PickRequest, nowMs: number, isFull: IsFull): Upstream | 'full' | undefined {
    const candidates = this.#candidates.at(nowMs);
    const { all } = this.#candidates;
    const isFirstTry = request.tried.length === 0;
    if (hasUntried(candidates, request.tried)) {
      const pick = (left: PickRequest) => this.#pickAccepted(candidates, left, isFirstTry, nowMs);
      return this.#pickWithRoom(candidates, request, isFull, pick);
    }
    if (hasUntried(all, request.tried))
      return this.#pickWithRoom(all, request, isFull, (left) => this.#strategy.pick(all, left));
    const again = { ...request, tried: [] };
    return this.#pickWithRoom(candidates, again, isFull, (left) => this.#strategy.pick(candidates, left));
  }

  /** Whether there is an admitted upstream that is not avoided and not among these. */
  hasUntried(tried: readonly Upstream[], nowMs: number): boolean {
    return hasUntried(this.#candidates.at(nowMs), tried);
  }

  #pickAccepted(
    candidates: Candidates,
    request: PickRequest,
    isFirstTry: boolean,
    nowMs: number,
  ): Upstream | undefined {
    const first = this.#strategy.pick(candidates, request);
    if (!this.#candidates.hasNewcomers) return first;
    const passedOver: Upstream[] = [];
    for (let picked = first; picked !== undefined; ) {
      if (this.#isAccepted(picked, isFirstTry, nowMs)) return picked;
      passedOver.push(picked);
      picked = this.#strategy.pick(candidates, { ...request, tried: [...request.tried, ...passedOver] });
    }
    return first;
  }

  /** By the strategy, as long as that does not pass over too many; else whoever has room. */
  #pickWithRoom(
    { upstreams }: Candidates,
    request: PickRequest,
    isFull: IsFull,
    pick: (left: PickRequest) => Upstream | undefined,
  ): Upstream | 'full' | undefined {
    let left = request;
    for (let passed = 0; passed < PASSED_OVER_MAX; passed++) {
      const picked = pick(left);
      if (picked === undefined) return passed === 0 ? undefined : 'full';
      if (!isFull(picked)) return picked;
      left = { ...left, tried: [...left.tried, picked] };
    }
    const start = integerBelow(this.#random, upstreams.length);
    for (let nth = 0; nth < upstreams.length; nth++) {
      const upstream = upstreams[(start + nth) % upstreams.length];
      if (upstream !== undefined && !isFull(upstream) && !isTried(left.tried, upstream)) return upstream;
    }
    return 'full';
  }

  #isAccepted({ slot }: Upstream, isFirstTry: boolean, nowMs: number): boolean {
    // A request that fails over has had its share of bad luck, and probes nothing.
    if (this.#view.isDoubtful(slot)) return isFirstTry && this.#view.claimProbe(slot, nowMs);
    const elapsedMs = Math.max(0, nowMs - this.#view.recoveredAtMs(slot));
    if (elapsedMs >= this.#pool.slowStartMs) return true;
    return this.#random.float() < Math.max(SLOW_START_SHARE_MIN, elapsedMs / this.#pool.slowStartMs);
  }
}

function hasUntried({ upstreams }: Candidates, tried: readonly Upstream[]): boolean {
  if (tried.length === 0) return upstreams.length > 0;
  return upstreams.some((upstream) => !isTried(tried, upstream));
}
