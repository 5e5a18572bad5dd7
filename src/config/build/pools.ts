import type { z } from 'zod';
import type { InFlightBound, Pool, StrategyChoice, Upstream } from '#core/table.ts';
import { type Pool as PoolSchema, QUEUE_DEFAULTS } from '../schema/pool.ts';
import type { Config } from '../schema.ts';
import { buildHealthCheck } from './health-check.ts';
import { buildRequestKey } from './request-key.ts';
import { buildUpstream } from './upstream.ts';

export type PoolConfig = z.output<typeof PoolSchema>;

/** Slots are given out in the order of the file, the pool `default` first. */
export function buildPools(config: Config, pemByName: ReadonlyMap<string, string>): Record<string, Pool> {
  const entries = Object.entries(config.pools);
  if (config.load_balancing !== undefined) entries.unshift(['default', config.load_balancing]);
  let nextSlot = 0;
  const pools = entries.map(([name, pool], slot): Pool => {
    const upstreams = pool.upstreams.map(
      (upstream): Upstream => ({
        ...buildUpstream(upstream, pool, pemByName),
        pool: name,
        state: 'ready',
        drainMs: pool.drain_ms,
        slot: nextSlot++,
      }),
    );
    const { outlier_detection } = pool;
    return {
      name,
      strategy: buildStrategy(pool),
      upstreams,
      drainMs: pool.drain_ms,
      inFlight: buildInFlight(pool),
      panicThreshold: pool.panic_threshold / 100,
      slowStartMs: pool.slow_start_ms,
      outliers: {
        consecutive5xx: outlier_detection.consecutive_5xx,
        consecutiveGatewayFailures: outlier_detection.consecutive_gateway_failure,
      },
      ejection: {
        baseMs: outlier_detection.base_ejection_ms,
        maxMs: outlier_detection.max_ejection_ms,
        shareMax: outlier_detection.max_ejection_percent / 100,
      },
      healthCheck: buildHealthCheck(pool.health_check),
      slot,
    };
  });
  return Object.fromEntries(pools.map((pool) => [pool.name, pool]));
}

function buildInFlight({ in_flight_max: max, queue = QUEUE_DEFAULTS }: PoolConfig): InFlightBound | null {
  if (max === undefined) return null;
  return { max, queue: { lengthMax: queue.length_max, timeoutMs: queue.timeout_ms } };
}

function buildStrategy({ strategy, hash_key }: PoolConfig): StrategyChoice {
  if (strategy !== 'consistent_hash') return { kind: strategy };
  if (hash_key === undefined) throw new TypeError('the schema lets no consistent_hash pass without hash_key');
  return { kind: strategy, key: buildRequestKey(hash_key) };
}
