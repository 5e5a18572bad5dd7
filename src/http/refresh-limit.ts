import type { Clock } from '#core/clock.ts';
import { normaliseClientIp } from '#core/limits/client-ip.ts';
import { retryAfterSeconds } from '#core/limits/headers.ts';
import type { Quota } from '#core/table.ts';
import type { LimitTable } from '#shared/limit-table.ts';

/**
 * Of one address. A refresh needs no password, so nothing else slows it down, and each leaves a row in the
 * database for as long as its token lives. An office behind one address stays far below this.
 */
export const REFRESH_QUOTA: Quota = { kind: 'gcra', requests: 300, windowMs: 60_000, burst: 100 };

/** Seconds that a client has to wait before it may refresh a session, or 0 if it may now. */
export type LimitRefresh = (clientAddress: string) => number;

export function refreshLimit(table: LimitTable, ipv6PrefixBits: number, clock: Clock): LimitRefresh {
  return (clientAddress) => {
    const key = `auth refresh ${normaliseClientIp(clientAddress, ipv6PrefixBits)}`;
    const decision = table.take(key, REFRESH_QUOTA, clock.monotonicMs(), false);
    return decision.allowed ? 0 : retryAfterSeconds(decision);
  };
}
