/**
 * Least connections: the upstream with the fewest requests in flight for its weight, this request
 * included, (in flight + 1) ÷ weight, as in HAProxy's leastconn. The counts are those of all workers.
 *
 * Upstreams that are equal take turns by the pool's cursor, among the equals alone, so that an idle pool
 * is used evenly and a busy upstream's neighbour gets no more than its share. Looks at every candidate:
 * for pools of many hundreds, p2c_ewma does nearly as well for less.
 */

import type { Upstream } from '#core/table.ts';
import type { Candidates, LoadView, PickRequest, Strategy } from './strategy.ts';
import { isTried } from './tried.ts';

export class LeastConn implements Strategy {
  readonly #load: LoadView;
  /** The best so far, all equal. Kept from pick to pick to save the allocation. */
  readonly #equals: Upstream[] = [];

  constructor(load: LoadView) {
    this.#load = load;
  }

  pick(candidates: Candidates, request: PickRequest): Upstream | undefined {
    const equals = this.#equals;
    let count = 0;
    let leastLoad = 1;
    let leastWeight = 0;
    for (const upstream of candidates.upstreams) {
      if (isTried(request.tried, upstream)) continue;
      const load = this.#load.inFlight(upstream.slot) + 1;
      // load ÷ weight against leastLoad ÷ leastWeight, in integers, so that equals are equal.
      const difference = load * leastWeight - leastLoad * upstream.weight;
      if (difference > 0) continue;
      if (difference < 0) {
        count = 0;
        leastLoad = load;
        leastWeight = upstream.weight;
      }
      equals[count++] = upstream;
    }
    if (count < 2) return equals[count - 1];
    return equals[this.#load.nextTurn(candidates.poolSlot) % count];
  }
}
