/**
 * A sliding window log of fixed size: never more than `requests` in any span of `windowMs`.
 *
 * The log has 17 entries of (time of the last request, number of requests). Up to 16 requests a window,
 * each has an entry of its own, and the window is exact. Above, an entry gathers the requests of one
 * quantum, a sixteenth of the window, and all of them count until the last has left the window: never
 * too lenient, and too strict by less than `windowMs / 16`. A window touches at most 17 quanta.
 *
 * The span is half open: after a request at t, the one at t + windowMs is in another window.
 */

import type { Quota } from '../table.ts';
import type { Decision } from './decision.ts';

export type SlidingWindowQuota = Extract<Quota, { kind: 'sliding_window' }>;

const QUANTA = 16;
const ENTRY_LENGTH = 2;

/** Numbers that one key's log takes; all zero, it is that of an unused key. */
export const LOG_LENGTH = (QUANTA + 1) * ENTRY_LENGTH;

/**
 * Decides on one request at `nowMs`, logs it in `logs[offset … offset + LOG_LENGTH)` if it is allowed,
 * and returns when the log will be as good as empty, in the milliseconds of `nowMs`.
 */
export function takeSlidingWindow(
  logs: Float64Array,
  offset: number,
  nowMs: number,
  quota: SlidingWindowQuota,
  decision: Decision,
): number {
  read(logs, offset, nowMs, quota);
  const { used, oldestMs } = seen;
  decision.allowed = used < quota.requests;
  decision.remaining = Math.max(0, quota.requests - used);
  decision.retryAfterMs = decision.allowed ? 0 : oldestMs + quota.windowMs - nowMs;
  if (decision.allowed) {
    decision.remaining -= 1;
    write(logs, nowMs, quota, 1);
  }
  const idleAtMs = seen.newestMs + quota.windowMs;
  decision.resetMs = idleAtMs - nowMs;
  return idleAtMs;
}

/** Logs `count` requests that were let through elsewhere, whether there was room for them or not. */
export function chargeSlidingWindow(
  logs: Float64Array,
  offset: number,
  nowMs: number,
  quota: SlidingWindowQuota,
  count: number,
): number {
  read(logs, offset, nowMs, quota);
  write(logs, nowMs, quota, count);
  return seen.newestMs + quota.windowMs;
}

/** What `read` found. One for all calls: a call runs to its end before the thread's next one starts. */
const seen = { used: 0, oldestMs: 0, newestMs: 0, newest: 0, free: -1 };

function read(logs: Float64Array, offset: number, nowMs: number, quota: SlidingWindowQuota): void {
  seen.used = 0;
  seen.oldestMs = Infinity;
  seen.newestMs = Number.NEGATIVE_INFINITY;
  seen.newest = offset;
  seen.free = -1;
  for (let entry = offset; entry < offset + LOG_LENGTH; entry += ENTRY_LENGTH) {
    const lastMs = logs[entry] ?? 0;
    const count = logs[entry + 1] ?? 0;
    if (count === 0 || nowMs >= lastMs + quota.windowMs) {
      seen.free = entry;
      continue;
    }
    seen.used += count;
    if (lastMs < seen.oldestMs) seen.oldestMs = lastMs;
    if (lastMs > seen.newestMs) {
      seen.newestMs = lastMs;
      seen.newest = entry;
    }
  }
}

function write(logs: Float64Array, nowMs: number, quota: SlidingWindowQuota, count: number): void {
  // Gathering only lengthens the life of what is there, so it is always safe, also when there is no
  // free entry: a thread with an old clock reading can find an 18th quantum.
  const gather = seen.free < 0 || quantumOf(nowMs, quota) === quantumOf(seen.newestMs, quota);
  const entry = gather ? seen.newest : seen.free;
  seen.newestMs = Math.max(seen.newestMs, nowMs);
  logs[entry] = gather ? seen.newestMs : nowMs;
  logs[entry + 1] = gather ? (logs[entry + 1] ?? 0) + count : count;
}

/** Requests of equal quanta share an entry: in the exact case, those of the very same time. */
function quantumOf(timeMs: number, quota: SlidingWindowQuota): number {
  return quota.requests <= QUANTA ? timeMs : Math.floor(timeMs / (quota.windowMs / QUANTA));
}
