/**
 * GCRA, the generic cell rate algorithm (ITU-T I.371, annex A, "virtual scheduling"): a token bucket
 * whose whole state is one number, the theoretical arrival time (TAT) at which the bucket is full again.
 * Each request moves it one emission interval, `windowMs / requests`, into the future; a request that
 * would move it more than `burst` intervals ahead of now is refused and moves nothing.
 *
 * Times are counted in ticks of 2^-16 ms (15 ns). A double holds their sums without rounding for four
 * years of uptime, so a burst of ten is exactly ten, whatever the interval.
 */

import type { Quota } from '../table.ts';
import type { Decision } from './decision.ts';

export type GcraQuota = Extract<Quota, { kind: 'gcra' }>;

const TICKS_PER_MS = 2 ** 16;

/** Milliseconds between two requests at the sustained rate; whole ticks, rounded up to be never too fast. */
export function emissionIntervalMs(quota: GcraQuota): number {
  return Math.ceil((quota.windowMs / quota.requests) * TICKS_PER_MS) / TICKS_PER_MS;
}

/**
 * Decides on one request at `nowMs` and returns the key's next TAT. A TAT that is not in the future, such
 * as 0, is that of an unused key. A `nowMs` that lags behind another thread's only makes the answer
 * stricter, by the lag.
 */
export function takeGcra(tatMs: number, nowMs: number, quota: GcraQuota, decision: Decision): number {
  const tickMs = Math.floor(nowMs * TICKS_PER_MS) / TICKS_PER_MS;
  const intervalMs = emissionIntervalMs(quota);
  const fullMs = quota.burst * intervalMs;
  const debtMs = Math.max(tatMs - tickMs, 0);
  const overMs = debtMs + intervalMs - fullMs;

  decision.allowed = overMs <= 0;
  decision.resetMs = decision.allowed ? debtMs + intervalMs : debtMs;
  decision.remaining = Math.max(0, Math.floor((fullMs - decision.resetMs) / intervalMs));
  decision.retryAfterMs = decision.allowed ? 0 : overMs;
  return tickMs + decision.resetMs;
}

/**
 * The TAT after `count` requests that were let through elsewhere: they have been, so they are owed even if
 * that is more than a burst, up to one burst and one window.
 */
export function chargeGcra(tatMs: number, nowMs: number, quota: GcraQuota, count: number): number {
  const tickMs = Math.floor(nowMs * TICKS_PER_MS) / TICKS_PER_MS;
  const intervalMs = emissionIntervalMs(quota);
  const debtMs = Math.max(tatMs - tickMs, 0) + count * intervalMs;
  return tickMs + Math.min(debtMs, quota.burst * intervalMs + quota.windowMs);
}
