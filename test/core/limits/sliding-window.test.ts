import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Decision, emptyDecision } from '#core/limits/decision.ts';
import { LOG_LENGTH, type SlidingWindowQuota, takeSlidingWindow } from '#core/limits/sliding-window.ts';

const START_MS = 5_000_000;

function perMinute(requests: number): SlidingWindowQuota {
  return { kind: 'sliding_window', requests, windowMs: 60_000 };
}

/** One key's limit, its log between two others that must stay untouched. */
function limiter(quota: SlidingWindowQuota): (nowMs: number) => Decision {
  const logs = new Float64Array(3 * LOG_LENGTH).fill(-1);
  logs.fill(0, LOG_LENGTH, 2 * LOG_LENGTH);
  return (nowMs) => {
    const decision = emptyDecision();
    takeSlidingWindow(logs, LOG_LENGTH, nowMs, quota, decision);
    assert.ok(logs.subarray(0, LOG_LENGTH).every((number) => number === -1));
    assert.ok(logs.subarray(2 * LOG_LENGTH).every((number) => number === -1));
    return decision;
  };
}

function allowedAt(take: (nowMs: number) => Decision, nowMs: number, requests: number): number {
  return Array.from({ length: requests }, () => take(nowMs)).filter((decision) => decision.allowed).length;
}

describe('10 requests in 60 seconds', () => {
  it('does not let twice the limit through at the edge of a minute', () => {
    const take = limiter(perMinute(10));
    assert.equal(allowedAt(take, START_MS + 59_000, 20), 10);
    assert.equal(allowedAt(take, START_MS + 61_000, 20), 0);
  });

  it('gives each request back when it is a window old, and not before', () => {
    const take = limiter(perMinute(10));
    for (let i = 0; i < 10; i++) take(START_MS + i * 1_000);
    assert.equal(allowedAt(take, START_MS + 59_999.9, 5), 0);
    assert.equal(allowedAt(take, START_MS + 60_000, 5), 1);
    assert.equal(allowedAt(take, START_MS + 63_000, 5), 3);
  });

  it('tells a refused client when the oldest and when the newest request expire', () => {
    const take = limiter(perMinute(2));
    take(START_MS);
    take(START_MS + 20_000);
    assert.deepEqual(take(START_MS + 30_000), {
      allowed: false,
      remaining: 0,
      resetMs: 50_000,
      retryAfterMs: 30_000,
    });
  });
});

describe('more requests than the log has entries', () => {
  it('gives a burst back when it is a window old', () => {
    const take = limiter(perMinute(1_000));
    assert.equal(allowedAt(take, START_MS, 2_000), 1_000);
    assert.equal(allowedAt(take, START_MS + 59_999, 2_000), 0);
    assert.equal(allowedAt(take, START_MS + 60_000, 2_000), 1_000);
  });

  it('serves an even load of the permitted rate at no more than a sixteenth below it', () => {
    const take = limiter(perMinute(600));
    let allowed = 0;
    for (let i = 0; i < 6_000; i++) if (take(START_MS + i * 100).allowed) allowed++;
    assert.ok(allowed >= (6_000 * 16) / 17, `${allowed} of 6000`);
  });
});

const windows = fc.constantFrom(1, 7, 1_000, 60_000);
const fewRequests = fc.integer({ min: 1, max: 16 });
const manyRequests = fc.integer({ min: 17, max: 60 });

/** Gaps between requests as fractions of a window: from crowded to sparse, some none, some whole quanta. */
const gaps = fc
  .constantFrom(0.03, 0.2, 1)
  .chain((scale) =>
    fc.array(
      fc.oneof(
        { weight: 1, arbitrary: fc.constantFrom(0, 1 / 64, 1 / 16, 1 / 15, 1 / 4) },
        { weight: 3, arbitrary: fc.double({ min: 0, max: 0.2 * scale, noNaN: true }) },
      ),
      { maxLength: 250, size: 'max' },
    ),
  );

function timesOf(windowMs: number, gapsInWindows: readonly number[]): number[] {
  let nowMs = START_MS;
  return gapsInWindows.map((gap) => {
    nowMs += gap * windowMs;
    return nowMs;
  });
}

/** Those of `times` that are less than `spanMs` before `nowMs`. */
function within(times: readonly number[], spanMs: number, nowMs: number): number[] {
  return times.filter((timeMs) => nowMs < timeMs + spanMs);
}

describe('quanta', () => {
  const quantumMs = 3_750;
  const gridMs = 1_000 * quantumMs;

  it('are kept apart, all 17 that a window can touch', () => {
    const take = limiter(perMinute(18));
    take(gridMs + quantumMs - 1);
    for (let quantum = 1; quantum <= 16; quantum++) take(gridMs + quantum * quantumMs);
    take(gridMs + 17 * quantumMs - 2);
    assert.equal(allowedAt(take, gridMs + 31 * quantumMs, 18), 16);
  });

  it('are shared rather than lost when an old clock reading finds no room for one more', () => {
    const take = limiter(perMinute(20));
    for (let quantum = 0; quantum <= 17; quantum++) take(gridMs + quantum * quantumMs);
    assert.equal(take(gridMs + 16.5 * quantumMs).allowed, true);
    assert.equal(allowedAt(take, gridMs + 17.9 * quantumMs, 20), 3);
  });
});

describe('any quota under any schedule', () => {
  it('up to 16 requests, decides as a log of every request does', () => {
    fc.assert(
      fc.property(fewRequests, windows, gaps, (requests, windowMs, gapsInWindows) => {
        const take = limiter({ kind: 'sliding_window', requests, windowMs });
        const log: number[] = [];
        for (const nowMs of timesOf(windowMs, gapsInWindows)) {
          const used = within(log, windowMs, nowMs);
          const allowed = used.length < requests;
          if (allowed) log.push(nowMs);
          assert.deepEqual(take(nowMs), {
            allowed,
            remaining: requests - used.length - (allowed ? 1 : 0),
            resetMs: (log.at(-1) ?? 0) + windowMs - nowMs,
            retryAfterMs: allowed ? 0 : (used[0] ?? 0) + windowMs - nowMs,
          });
        }
      }),
    );
  });

  it('above, never allows more than the limit in any window', () => {
    fc.assert(
      fc.property(manyRequests, windows, gaps, (requests, windowMs, gapsInWindows) => {
        const take = limiter({ kind: 'sliding_window', requests, windowMs });
        const log: number[] = [];
        for (const nowMs of timesOf(windowMs, gapsInWindows)) {
          if (take(nowMs).allowed) log.push(nowMs);
          assert.ok(within(log, windowMs, nowMs).length <= requests);
        }
      }),
    );
  });

  it('above, refuses only when the limit was used within a window and a sixteenth', () => {
    fc.assert(
      fc.property(manyRequests, windows, gaps, (requests, windowMs, gapsInWindows) => {
        const take = limiter({ kind: 'sliding_window', requests, windowMs });
        const log: number[] = [];
        for (const nowMs of timesOf(windowMs, gapsInWindows)) {
          if (take(nowMs).allowed) log.push(nowMs);
          else assert.ok(within(log, (windowMs * 17) / 16, nowMs).length >= requests);
        }
      }),
    );
  });

  it('allows a refused request after retryAfterMs and not before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), windows, gaps, (requests, windowMs, gapsInWindows) => {
        const take = limiter({ kind: 'sliding_window', requests, windowMs });
        for (const nowMs of timesOf(windowMs, gapsInWindows)) {
          const { allowed, retryAfterMs } = take(nowMs);
          if (allowed) continue;
          assert.equal(take(nowMs + retryAfterMs * 0.99).allowed, false);
          assert.equal(take(nowMs + retryAfterMs * 1.000001).allowed, true);
          return;
        }
      }),
    );
  });

  it('gains nothing from a thread whose clock reading is old', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 59_999 }), (requests, lagMs) => {
        const take = limiter(perMinute(requests));
        assert.equal(allowedAt(take, START_MS, requests - 1), requests - 1);
        assert.equal(take(START_MS - lagMs).allowed, true);
        assert.equal(take(START_MS - lagMs).allowed, false);
        assert.equal(take(START_MS).allowed, false);
        assert.ok(allowedAt(take, START_MS + 59_999, requests) <= 1);
      }),
    );
  });
});
