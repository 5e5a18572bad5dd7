import type { Clock } from '#core/clock.ts';
import { normaliseClientIp } from '#core/limits/client-ip.ts';
import { retryAfterSeconds } from '#core/limits/headers.ts';
import type { Quota } from '#core/table.ts';
import type { LimitTable } from '#shared/limit-table.ts';

/**
 * Of one address. To refresh or end a session needs no password, so nothing else slows it down: each costs a
 * question to the database, and each refresh leaves a row there for as long as its token lives. An office
 * behind one address stays far below this.
 */
export const SESSION_QUOTA: Quota = { kind: 'gcra', requests: 300, windowMs: 60_000, burst: 100 };

/** Seconds that a client has to wait before it may do something with a session, or 0 if it may now. */
export type LimitSessions = (clientAddress: string) => number;

export function sessionLimit(table: LimitTable, ipv6PrefixBits: number, clock: Clock): LimitSessions {
  return (clientAddress) => {
    const key = `auth session ${normaliseClientIp(clientAddress, ipv6PrefixBits)}`;
    const decision = table.take(key, SESSION_QUOTA, clock.monotonicMs(), false);
    return decision.allowed ? 0 : retryAfterSeconds(decision);
  };
}
