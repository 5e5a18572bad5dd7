/**
 * Least connections: the upstream with the fewest requests in flight for its weight, this request
 * included, (in flight + 1) ÷ weight, as in HAProxy's leastconn. The counts are those of all workers.
 *
 * Upstreams that are equal take turns by the pool's cursor, among the equals alone, so that an idle pool
 * is used evenly and a busy upstream's neighbour gets no more than its share. In a pool of more than
 * `LOOKS_MAX` it looks at so many, each time from where the cursor is: the least of 64 is hardly ever
 * busier than the least of all (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
 */

import type { Upstream } from '#core/table.ts';
import type { Candidates, LoadView, PickRequest, Strategy } from './strategy.ts';
import { isTried } from './tried.ts';

/** Upstreams that a pick looks at, unless every one of them was tried. */
export const LOOKS_MAX = 64;

export class LeastConn implements Strategy {
  readonly #load: LoadView;
  /** The best so far, all equal. Kept from pick to pick to save the allocation. */
  readonly #equals: Upstream[] = [];

  constructor(load: LoadView) {
    this.#load = load;
  }

  pick(candidates: Candidates, request: PickRequest): Upstream | undefined {
    const { length } = candidates.upstreams;
    if (length <= LOOKS_MAX) {
      const count = this.#findLeast(candidates, request, 0, length);
      if (count < 2) return this.#equals[count - 1];
      return this.#equals[this.#load.nextTurn(candidates.poolSlot) % count];
    }
    const turn = this.#load.nextTurn(candidates.poolSlot);
    const count =
      this.#findLeast(candidates, request, turn, LOOKS_MAX) ||
      this.#findLeast(candidates, request, 0, length);
    // Another place in each lap, so that no upstream stands for the busy one before it all the time.
    return this.#equals[Math.floor(turn / length) % count];
  }

  /** How many untried ones are equally little loaded, among `looks` from `first` on. */
  #findLeast({ upstreams }: Candidates, { tried }: PickRequest, first: number, looks: number): number {
    let count = 0;
    let leastLoad = 1;
    let leastWeight = 0;
    for (let look = 0; look < looks; look++) {
      const upstream = upstreams[(first + look) % upstreams.length] as Upstream;
      if (isTried(tried, upstream)) continue;
      const load = this.#load.inFlight(upstream.slot) + 1;
      // load ÷ weight against leastLoad ÷ leastWeight, in integers, so that equals are equal.
      const difference = load * leastWeight - leastLoad * upstream.weight;
      if (difference > 0) continue;
      if (difference < 0) {
        count = 0;
        leastLoad = load;
        leastWeight = upstream.weight;
      }
      this.#equals[count++] = upstream;
    }
    return count;
  }
}
