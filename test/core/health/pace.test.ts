import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { waitMs } from '#core/health/pace.ts';
import { count, NEW_TALLY, type Tally } from '#core/health/tally.ts';

const PACE = { intervalMs: 1000, timeoutMs: 500, jitter: 0 };
const THRESHOLDS = { healthy: 3, unhealthy: 3 };
const UP: Tally = { standing: 'up', against: 0, reason: '' };
const DOWN: Tally = { standing: 'down', against: 0, reason: 'timeout' };

describe('the pace of probes', () => {
  it('is one an interval, from start to start', () => {
    assert.equal(waitMs(UP, PACE, THRESHOLDS, 0, 5), 995);
  });

  it('doubles while an upstream is turning', () => {
    assert.equal(waitMs({ ...UP, against: 1 }, PACE, THRESHOLDS, 0, 5), 495);
    assert.equal(waitMs({ ...DOWN, against: 1 }, PACE, THRESHOLDS, 0, 500), 0);
  });

  it('slows down on dead ones by what is won at the end', () => {
    const waits = [1, 2, 3, 9].map((healthy) => waitMs(DOWN, PACE, { ...THRESHOLDS, healthy }, 0, 0));
    assert.deepEqual(waits, [1000, 1500, 2000, 2000]);
  });

  it('is shortened by the jitter, each check by its own share', () => {
    const pace = { ...PACE, jitter: 0.1 };
    assert.equal(waitMs(UP, pace, THRESHOLDS, 0, 0), 1000);
    assert.equal(waitMs(UP, pace, THRESHOLDS, 0.5, 0), 950);
  });

  // The promise of "found again within one interval", for as many passes as are needed.
  it('finds an upstream again within as many intervals as it takes passes', () => {
    const property = fc.property(
      fc.record({
        healthy: fc.integer({ min: 1, max: 10 }),
        intervalMs: fc.integer({ min: 100, max: 60_000 }),
        timeoutShare: fc.float({ min: 0, max: 1, noNaN: true }),
        backAtShare: fc.float({ min: 0, max: 1, noNaN: true }),
        jitter: fc.float({ min: 0, max: 0.5, noNaN: true }),
        phase: fc.float({ min: 0, max: 1, noNaN: true }),
        hangs: fc.boolean(),
      }),
      ({ healthy, intervalMs, timeoutShare, backAtShare, jitter, phase, hangs }) => {
        const pace = { intervalMs, timeoutMs: intervalMs * timeoutShare, jitter };
        const thresholds = { healthy, unhealthy: 1 };
        const waitAfter = (tally: Tally, tookMs: number) => waitMs(tally, pace, thresholds, phase, tookMs);
        // A probe that begins at 0 fails, at once or by its timeout, for the upstream is back only later.
        let tally = count(NEW_TALLY, { passed: false, reason: 'timeout' }, thresholds);
        const tookMs = hangs ? pace.timeoutMs : 0;
        let nowMs = tookMs + waitAfter(tally, tookMs);
        const backAtMs = nowMs * backAtShare;
        for (;;) {
          tally = count(tally, { passed: true }, thresholds);
          if (tally.standing === 'up') break;
          nowMs += waitAfter(tally, 0);
        }
        assert.ok(nowMs - backAtMs <= intervalMs * healthy + 1e-6, `${nowMs - backAtMs} ms`);
      },
    );
    fc.assert(property, { numRuns: 1000 });
  });
});
