/**
 * The better of two: of two upstreams drawn at random, the cheaper one. Choosing between two is nearly
 * as good as choosing among all, and does not send every worker to the same upstream at once
 * (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001). Cost is the peak-sensitive
 * latency estimate × (in flight + 1) ÷ weight, as in Finagle's and linkerd's peak EWMA balancers.
 */

import { integerBelow, type Random } from '#core/random.ts';
import type { Upstream } from '#core/table.ts';
import type { Candidates, LoadView, PickRequest, Strategy } from './strategy.ts';
import { untried } from './tried.ts';

/**
 * Latency assumed of an upstream that is not measured yet but has requests in flight. The first request
 * measures a new upstream, and until it is answered the others go elsewhere: without this, its cost of 0
 * would draw all of them.
 */
const LATENCY_UNMEASURED_MS = 3_600_000;

export class P2cEwma implements Strategy {
  readonly #load: LoadView;
  readonly #random: Random;

  constructor(load: LoadView, random: Random) {
    this.#load = load;
    this.#random = random;
  }

  pick(candidates: Candidates, request: PickRequest): Upstream | undefined {
    const upstreams = untried(candidates, request);
    const { length } = upstreams;
    if (length < 2) return upstreams[0];
    const one = integerBelow(this.#random, length);
    const step = 1 + integerBelow(this.#random, length - 1);
    const first = upstreams[one];
    const second = upstreams[(one + step) % length];
    if (first === undefined || second === undefined) return first;
    return this.#cost(second) < this.#cost(first) ? second : first;
  }

  #cost({ slot, weight }: Upstream): number {
    const inFlight = this.#load.inFlight(slot);
    const measuredMs = this.#load.latencyMs(slot);
    const latencyMs = measuredMs === 0 && inFlight > 0 ? LATENCY_UNMEASURED_MS : measuredMs;
    return (latencyMs * (inFlight + 1)) / weight;
  }
}
