import type { z } from 'zod';
import type { Limit, LimitTier, Quota } from '#core/table.ts';
import { type Algorithm, algorithmOf, type RateLimit, type RateNumbers } from '../schema/rate-limit.ts';
import { buildRequestKey } from './request-key.ts';

export type LimitConfig = z.output<typeof RateLimit>;

const MINUTE_MS = 60_000;

/** `hasAuth`: whether requests under this limit have a user. */
export function buildLimit(name: string, limit: LimitConfig, hasAuth: boolean): Limit {
  const algorithm = algorithmOf(limit);
  const keys = limit.key ?? (hasAuth ? 'user' : 'client_ip');
  return {
    name,
    key: [keys].flat().map(buildRequestKey),
    quota: buildQuota(limit, algorithm),
    tiers: limit.tiers.flatMap((tier) => buildTier(tier, algorithm)),
    isShared: limit.scope === 'cluster',
  };
}

function buildTier(tier: LimitConfig['tiers'][number], algorithm: Algorithm): LimitTier[] {
  const { user, header } = tier.match;
  const quota = buildQuota(tier, algorithm);
  if (user !== undefined) return [{ match: { kind: 'user' }, values: [user].flat(), quota }];
  if (header === undefined) return [];
  return [
    { match: { kind: 'header', name: header.name.toLowerCase() }, values: [header.values].flat(), quota },
  ];
}

function buildQuota(numbers: RateNumbers, algorithm: Algorithm): Quota {
  if (algorithm === 'sliding_window') {
    const { max_requests, window_seconds } = numbers;
    return {
      kind: 'sliding_window',
      requests: needed(max_requests),
      windowMs: needed(window_seconds) * 1000,
    };
  }
  const requests = needed(numbers.requests_per_minute);
  const burst = numbers.burst_size ?? Math.max(1, Math.round(requests / 10));
  return { kind: 'gcra', requests, windowMs: MINUTE_MS, burst };
}

function needed(number: number | undefined): number {
  if (number === undefined) throw new TypeError('the schema lets no limit pass without its numbers');
  return number;
}
