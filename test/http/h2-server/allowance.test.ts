import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Allowance } from '#http/h2-server/allowance.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

describe('an allowance', () => {
  it('is used up at once, and comes back with time, never to more than it was', () => {
    const clock = new VirtualClock();
    const allowance = new Allowance({ burst: 3, perSecond: 2 }, clock);
    const taken = () => Array.from({ length: 5 }, () => allowance.take());
    assert.deepEqual(taken(), [true, true, true, false, false]);
    clock.advance(499);
    assert.equal(allowance.take(), false);
    clock.advance(1);
    assert.deepEqual(taken(), [true, false, false, false, false]);
    clock.advance(60_000);
    assert.deepEqual(taken(), [true, true, true, false, false]);
  });
});
