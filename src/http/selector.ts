import type { Exchange } from '#actors/request/exchange.ts';
import type { Identity } from '#actors/request/steps.ts';
import { Balancer } from '#core/balance/balancer.ts';
import { ringHash } from '#core/balance/consistent-hash.ts';
import { createStrategy } from '#core/balance/create-strategy.ts';
import type { Strategy } from '#core/balance/strategy.ts';
import type { Clock } from '#core/clock.ts';
import { requestKey } from '#core/limits/client-key.ts';
import type { Random } from '#core/random.ts';
import type { Pool, StrategyChoice, Upstream } from '#core/table.ts';
import { loadView, type UpstreamCells } from '#shared/upstream-cells.ts';
import { poolOf } from './exchange.ts';
import { requestFacts } from './request-facts.ts';

type KnownStrategy = { readonly kind: StrategyChoice['kind']; readonly strategy: Strategy };

/** Picks upstreams for one worker: which pool a request belongs to, and by which key. */
export class Selector {
  readonly #cells: UpstreamCells;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ipv6PrefixBits: number;
  /** By pool object: those of a pool that has changed go when the last request of its table has ended. */
  readonly #balancers = new WeakMap<Pool, Balancer>();
  /** By slot of the pool: the pool's next version goes on with what its strategy has derived. */
  readonly #strategies: KnownStrategy[] = [];

  constructor(cells: UpstreamCells, ipv6PrefixBits: number, clock: Clock, random: Random) {
    this.#cells = cells;
    this.#ipv6PrefixBits = ipv6PrefixBits;
    this.#clock = clock;
    this.#random = random;
  }

  /** An upstream not tried yet; one that was if there is no other; undefined if there is none at all. */
  pick(exchange: Exchange, identity: Identity | null, tried: readonly Upstream[]): Upstream | undefined {
    const pool = poolOf(exchange);
    const keyHash = this.#keyHash(pool, exchange, identity);
    return this.#balancer(pool).pick({ keyHash, tried }, this.#clock.monotonicMs());
  }

  /** Whether there is an upstream left that was not tried, and is not avoided. */
  hasUntried(exchange: Exchange, tried: readonly Upstream[]): boolean {
    return this.#balancer(poolOf(exchange)).hasUntried(tried, this.#clock.monotonicMs());
  }

  #balancer(pool: Pool): Balancer {
    let balancer = this.#balancers.get(pool);
    if (balancer === undefined) {
      balancer = new Balancer(pool, this.#strategy(pool), this.#cells.admission, this.#random);
      this.#balancers.set(pool, balancer);
    }
    return balancer;
  }

  #strategy({ strategy: choice, slot }: Pool): Strategy {
    const known = this.#strategies[slot];
    if (known?.kind === choice.kind) return known.strategy;
    const strategy = createStrategy(choice, loadView(this.#cells, this.#clock), this.#random);
    this.#strategies[slot] = { kind: choice.kind, strategy };
    return strategy;
  }

  #keyHash(pool: Pool, exchange: Exchange, identity: Identity | null): number {
    if (pool.strategy.kind !== 'consistent_hash') return 0;
    return ringHash(requestKey(pool.strategy.key, requestFacts(exchange, identity, this.#ipv6PrefixBits)));
  }
}
