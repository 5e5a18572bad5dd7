import type { Identity } from '#actors/request/steps.ts';
import { CandidateSet } from '#core/balance/candidates.ts';
import { ringHash } from '#core/balance/consistent-hash.ts';
import { createStrategy, type PickRequest, type Strategy } from '#core/balance/strategy.ts';
import type { Clock } from '#core/clock.ts';
import { requestKey } from '#core/limits/client-key.ts';
import type { Random } from '#core/random.ts';
import type { Pool, Upstream } from '#core/table.ts';
import { loadView, type UpstreamCells } from '#shared/upstream-cells.ts';
import type { Exchange } from './exchange.ts';
import { requestFacts } from './request-facts.ts';

type PoolView = { readonly candidates: CandidateSet; readonly strategy: Strategy };

/** Picks upstreams for one worker: each pool's strategy over those of its upstreams not avoided now. */
export class Selector {
  readonly #cells: UpstreamCells;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ipv6PrefixBits: number;
  /** By pool object: those of a replaced table go when its last request has ended. */
  readonly #views = new WeakMap<Pool, PoolView>();

  constructor(cells: UpstreamCells, ipv6PrefixBits: number, clock: Clock, random: Random) {
    this.#cells = cells;
    this.#ipv6PrefixBits = ipv6PrefixBits;
    this.#clock = clock;
    this.#random = random;
  }

  /** An upstream not tried yet; one that was if no other is admitted; undefined if none is. */
  pick(exchange: Exchange, identity: Identity | null, tried: readonly Upstream[]): Upstream | undefined {
    const pool = this.#poolOf(exchange);
    const { strategy, candidates } = this.#view(pool);
    const admitted = candidates.at(this.#clock.monotonicMs());
    const request: PickRequest = { keyHash: this.#keyHash(pool, exchange, identity), tried };
    return strategy.pick(admitted, request) ?? strategy.pick(admitted, { ...request, tried: [] });
  }

  hasUntried(exchange: Exchange, tried: readonly Upstream[]): boolean {
    const { upstreams } = this.#view(this.#poolOf(exchange)).candidates.at(this.#clock.monotonicMs());
    return upstreams.some((upstream) => !tried.includes(upstream));
  }

  #poolOf({ table, route }: Exchange): Pool {
    const pool = table.pools[route.pool];
    if (pool === undefined)
      throw new Error(`The route ${route.name} names the pool ${route.pool}, which the table lacks.`);
    return pool;
  }

  #view(pool: Pool): PoolView {
    let view = this.#views.get(pool);
    if (view === undefined) {
      view = {
        candidates: new CandidateSet(pool, this.#cells),
        strategy: createStrategy(pool.strategy, loadView(this.#cells, this.#clock), this.#random),
      };
      this.#views.set(pool, view);
    }
    return view;
  }

  #keyHash(pool: Pool, exchange: Exchange, identity: Identity | null): number {
    if (pool.strategy.kind !== 'consistent_hash') return 0;
    return ringHash(requestKey(pool.strategy.key, requestFacts(exchange, identity, this.#ipv6PrefixBits)));
  }
}
