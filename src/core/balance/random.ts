/**
 * Random by weight: a draw from the cumulated weights, found by binary search. It needs no shared state
 * at all, and spreads n requests to within about √n of each upstream's due.
 */

import { integerBelow, type Random } from '#core/random.ts';
import type { Upstream } from '#core/table.ts';
import { upperBound } from './search.ts';
import type { Candidates, PickRequest, Strategy } from './strategy.ts';
import { untried } from './tried.ts';

export class WeightedRandom implements Strategy {
  readonly #random: Random;
  #candidates: Candidates | null = null;
  #cumulated = new Uint32Array();

  constructor(random: Random) {
    this.#random = random;
  }

  pick(candidates: Candidates, request: PickRequest): Upstream | undefined {
    if (request.tried.length > 0) {
      const left = untried(candidates, request);
      return this.#draw(left, cumulate(left));
    }
    if (candidates !== this.#candidates) {
      this.#cumulated = cumulate(candidates.upstreams);
      this.#candidates = candidates;
    }
    return this.#draw(candidates.upstreams, this.#cumulated);
  }

  #draw(upstreams: readonly Upstream[], cumulated: Uint32Array): Upstream | undefined {
    const total = cumulated.at(-1) ?? 0;
    return upstreams[upperBound(cumulated, integerBelow(this.#random, total))];
  }
}

function cumulate(upstreams: readonly Upstream[]): Uint32Array<ArrayBuffer> {
  let total = 0;
  return Uint32Array.from(upstreams, ({ weight }) => {
    total += weight;
    return total;
  });
}
