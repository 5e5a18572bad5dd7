import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { count, NEW_TALLY, type Outcome, type Tally } from '#core/health/tally.ts';

const PASS: Outcome = { passed: true };
const FAIL: Outcome = { passed: false, reason: 'timeout' };
const THRESHOLDS = { healthy: 2, unhealthy: 3 };

const after = (outcomes: readonly Outcome[], thresholds = THRESHOLDS): Tally =>
  outcomes.reduce((tally, outcome) => count(tally, outcome, thresholds), NEW_TALLY);

describe('a tally of probes', () => {
  it('begins with whatever the first one says', () => {
    assert.deepEqual(after([PASS]), { standing: 'up', against: 0, reason: '' });
    assert.deepEqual(after([FAIL]), { standing: 'down', against: 0, reason: 'timeout' });
  });

  it('turns down after as many failures in a row as it takes', () => {
    assert.deepEqual(after([PASS, FAIL, FAIL]), { standing: 'up', against: 2, reason: 'timeout' });
    assert.deepEqual(after([PASS, FAIL, FAIL, FAIL]), { standing: 'down', against: 0, reason: 'timeout' });
  });

  it('turns up after as many passes in a row as it takes', () => {
    assert.equal(after([FAIL, PASS]).standing, 'down');
    assert.equal(after([FAIL, PASS, PASS]).standing, 'up');
  });

  it('begins to count anew when the row is broken', () => {
    assert.equal(after([PASS, FAIL, FAIL, PASS, FAIL, FAIL]).standing, 'up');
    assert.equal(after([FAIL, PASS, FAIL, PASS]).standing, 'down');
  });

  it('flips with each outcome where one is enough', () => {
    const property = fc.property(fc.array(fc.boolean(), { minLength: 1 }), (passes) => {
      const outcomes = passes.map((passed) => (passed ? PASS : FAIL));
      assert.equal(
        after(outcomes, { healthy: 1, unhealthy: 1 }).standing,
        passes.at(-1) === true ? 'up' : 'down',
      );
    });
    fc.assert(property);
  });
});
