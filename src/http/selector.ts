import type { Exchange } from '#actors/request/exchange.ts';
import type { Identity } from '#actors/request/steps.ts';
import { Balancer } from '#core/balance/balancer.ts';
import { ringHash } from '#core/balance/consistent-hash.ts';
import { createStrategy } from '#core/balance/create-strategy.ts';
import type { PickRequest, Strategy } from '#core/balance/strategy.ts';
import type { Clock } from '#core/clock.ts';
import { requestKey } from '#core/limits/client-key.ts';
import type { Random } from '#core/random.ts';
import type { Pool, StrategyChoice, Upstream } from '#core/table.ts';
import { WeakLookup } from '#core/weak-lookup.ts';
import { loadView, type UpstreamCells } from '#shared/upstream-cells.ts';
import { poolOf } from './exchange.ts';
import type { Claims } from './in-flight/claims.ts';
import { requestFacts } from './request-facts.ts';

const BALANCERS_AT_HAND = 16;

type KnownStrategy = { readonly kind: StrategyChoice['kind']; readonly strategy: Strategy };

/** Picks upstreams for one worker: which pool a request belongs to, and by which key. */
export class Selector {
  readonly #cells: UpstreamCells;
  readonly #claims: Claims;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ipv6PrefixBits: number;
  /** By pool object: those of a pool that has changed go when the last request of its table has ended. */
  readonly #balancers = new WeakLookup<Pool, Balancer>(BALANCERS_AT_HAND);
  /** By slot of the pool: the pool's next version goes on with what its strategy has derived. */
  readonly #strategies: KnownStrategy[] = [];

  constructor(cells: UpstreamCells, claims: Claims, ipv6PrefixBits: number, clock: Clock, random: Random) {
    this.#cells = cells;
    this.#claims = claims;
    this.#ipv6PrefixBits = ipv6PrefixBits;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * An upstream not tried yet; one that was if there is no other; undefined if there is none at all. Where upstreams
   * have a bound, a place at it is claimed for the request; `full` if there is none.
   */
  pick(
    exchange: Exchange,
    identity: Identity | null,
    tried: readonly Upstream[],
  ): Upstream | 'full' | undefined {
    const pool = poolOf(exchange);
    const request = { keyHash: this.#keyHash(pool, exchange, identity), tried };
    const nowMs = this.#clock.monotonicMs();
    if (pool.inFlight === null) return this.#balancer(pool).pick(request, nowMs);
    return this.#pickAndClaim(exchange, pool, pool.inFlight.max, request, nowMs);
  }

  /** Whether there is an upstream left that was not tried, and is not avoided. */
  hasUntried(exchange: Exchange, tried: readonly Upstream[]): boolean {
    return this.#balancer(poolOf(exchange)).hasUntried(tried, this.#clock.monotonicMs());
  }

  #pickAndClaim(
    exchange: Exchange,
    pool: Pool,
    max: number,
    request: PickRequest,
    nowMs: number,
  ): Upstream | 'full' | undefined {
    // Of those that another worker took the last place at just now.
    const lost = new Set<Upstream>();
    const maxOf = (upstream: Upstream) => upstream.inFlightMax ?? max;
    const isFull = (upstream: Upstream) =>
      lost.has(upstream) || this.#cells.inFlight(upstream.slot) >= maxOf(upstream);
    for (;;) {
      const picked = this.#balancer(pool).pickUnlessFull(request, nowMs, isFull);
      if (picked === undefined || picked === 'full') return picked;
      if (this.#claims.claim(exchange, picked, maxOf(picked))) return picked;
      lost.add(picked);
    }
  }

  #balancer(pool: Pool): Balancer {
    return (
      this.#balancers.get(pool, pool.slot) ??
      this.#balancers.add(pool, new Balancer(pool, this.#strategy(pool), this.#cells.admission, this.#random))
    );
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
