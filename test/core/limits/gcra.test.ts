import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Decision, emptyDecision } from '#core/limits/decision.ts';
import { type GcraQuota, takeGcra } from '#core/limits/gcra.ts';

const START_MS = 3_000_000.25;
const TICKS_PER_MS = 65_536;
const TICK_MS = 1 / TICKS_PER_MS;

const hundredAMinute: GcraQuota = { kind: 'gcra', requests: 100, windowMs: 60_000, burst: 10 };

/** One key's limit, with its TAT kept from call to call. */
function limiter(quota: GcraQuota): (nowMs: number) => Decision {
  let tatMs = 0;
  return (nowMs) => {
    const decision = emptyDecision();
    tatMs = takeGcra(tatMs, nowMs, quota, decision);
    return decision;
  };
}

function allowedOf(decisions: readonly Decision[]): number {
  return decisions.filter((decision) => decision.allowed).length;
}

describe('100 a minute with a burst of 10', () => {
  it('accepts exactly 10 at once, counting down', () => {
    const take = limiter(hundredAMinute);
    const decisions = Array.from({ length: 50 }, () => take(START_MS));
    assert.equal(allowedOf(decisions), 10);
    assert.deepEqual(
      decisions.slice(0, 11).map((decision) => decision.remaining),
      [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0],
    );
  });

  it('accepts exactly 100 in each later minute, however many are sent', () => {
    const take = limiter(hundredAMinute);
    for (let i = 0; i < 10; i++) take(START_MS);
    for (let minute = 0; minute < 5; minute++) {
      const decisions = Array.from({ length: 6_000 }, (_, i) =>
        take(START_MS + minute * 60_000 + (i + 1) * 10),
      );
      assert.equal(allowedOf(decisions), 100);
    }
  });

  it('tells a refused client when to come back, and when all is restored', () => {
    const take = limiter(hundredAMinute);
    for (let i = 0; i < 10; i++) take(START_MS);
    assert.deepEqual(take(START_MS + 100), {
      allowed: false,
      remaining: 0,
      resetMs: 5_900,
      retryAfterMs: 500,
    });
    assert.equal(take(START_MS + 599).allowed, false);
    assert.equal(take(START_MS + 600).allowed, true);
  });

  it('gives the whole burst back after a rest, and not more', () => {
    const take = limiter(hundredAMinute);
    for (let i = 0; i < 10; i++) take(START_MS);
    const decisions = Array.from({ length: 50 }, () => take(START_MS + 3_600_000));
    assert.equal(allowedOf(decisions), 10);
  });
});

const quotas: fc.Arbitrary<GcraQuota> = fc.record({
  kind: fc.constant('gcra' as const),
  requests: fc.integer({ min: 1, max: 2_000 }),
  windowMs: fc.constantFrom(1, 10, 1_000, 60_000, 3_600_000),
  burst: fc.integer({ min: 1, max: 40 }),
});

/** Gaps between requests, as fractions of the emission interval: around it, and often none at all. */
const gaps = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 2.5, noNaN: true })), {
  maxLength: 120,
});

function timesOf(quota: GcraQuota, gapsInIntervals: readonly number[]): number[] {
  let nowMs = START_MS;
  return gapsInIntervals.map((gap) => {
    nowMs += (gap * quota.windowMs) / quota.requests;
    return nowMs;
  });
}

describe('any quota under any schedule', () => {
  it('decides as a token bucket in exact arithmetic does', () => {
    fc.assert(
      fc.property(quotas, gaps, (quota, gapsInIntervals) => {
        const take = limiter(quota);
        const bucket = new ExactBucket(quota);
        for (const nowMs of timesOf(quota, gapsInIntervals))
          assert.deepEqual(take(nowMs), bucket.take(nowMs));
      }),
    );
  });

  it('allows at most the burst and the sustained rate in every span of time', () => {
    fc.assert(
      fc.property(quotas, gaps, (quota, gapsInIntervals) => {
        const take = limiter(quota);
        const allowedAt = timesOf(quota, gapsInIntervals).filter((nowMs) => take(nowMs).allowed);
        for (const [first, startMs] of allowedAt.entries()) {
          for (let last = first; last < allowedAt.length; last++) {
            const spanMs = (allowedAt[last] ?? 0) - startMs + TICK_MS;
            const most = quota.burst + Math.floor((spanMs * quota.requests) / quota.windowMs);
            assert.ok(last - first + 1 <= most, `${last - first + 1} in ${spanMs} ms`);
          }
        }
      }),
    );
  });

  it('allows a refused request after retryAfterMs and not a tick before', () => {
    fc.assert(
      fc.property(quotas, gaps, (quota, gapsInIntervals) => {
        let tatMs = 0;
        for (const nowMs of timesOf(quota, gapsInIntervals)) {
          const decision = emptyDecision();
          tatMs = takeGcra(tatMs, nowMs, quota, decision);
          if (decision.allowed) continue;
          const tickMs = Math.floor(nowMs * TICKS_PER_MS) / TICKS_PER_MS;
          const later = emptyDecision();
          takeGcra(tatMs, tickMs + decision.retryAfterMs - TICK_MS, quota, later);
          assert.equal(later.allowed, false);
          takeGcra(tatMs, tickMs + decision.retryAfterMs, quota, later);
          assert.equal(later.allowed, true);
        }
      }),
    );
  });

  it('gains nothing from a thread whose clock reading is old', () => {
    fc.assert(
      fc.property(quotas, fc.double({ min: 0, max: 5_000, noNaN: true }), (quota, lagMs) => {
        const take = limiter(quota);
        for (let i = 0; i < quota.burst; i++) assert.equal(take(START_MS).allowed, true);
        assert.equal(take(START_MS - lagMs).allowed, false);
        assert.equal(take(START_MS).allowed, false);
      }),
    );
  });
});

/** The same limit told the usual way: a bucket of `burst` tokens that refills, in whole ticks of time. */
class ExactBucket {
  readonly #perToken: bigint;
  readonly #capacity: bigint;
  #level: bigint;
  #filledAt = 0n;

  constructor(quota: GcraQuota) {
    const windowTicks = BigInt(quota.windowMs) * BigInt(TICKS_PER_MS);
    const requests = BigInt(quota.requests);
    this.#perToken = (windowTicks + requests - 1n) / requests;
    this.#capacity = this.#perToken * BigInt(quota.burst);
    this.#level = this.#capacity;
  }

  take(nowMs: number): Decision {
    const now = BigInt(Math.floor(nowMs * TICKS_PER_MS));
    const filled = this.#level + now - this.#filledAt;
    this.#level = filled < this.#capacity ? filled : this.#capacity;
    this.#filledAt = now;
    const allowed = this.#level >= this.#perToken;
    if (allowed) this.#level -= this.#perToken;
    return {
      allowed,
      remaining: Number(this.#level / this.#perToken),
      resetMs: Number(this.#capacity - this.#level) / TICKS_PER_MS,
      retryAfterMs: allowed ? 0 : Number(this.#perToken - this.#level) / TICKS_PER_MS,
    };
  }
}
