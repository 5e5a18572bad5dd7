import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STEP_BACK_MS_MAX, TokenClock } from '#core/jwt/token-clock.ts';
import { VirtualClock, WALL_START_MS } from '#test/support/virtual-clock.ts';

const MINUTE_MS = 60_000;

describe('the clock of tokens', () => {
  it('is the wall clock', () => {
    const clock = new VirtualClock();
    const tokenClock = new TokenClock(clock);
    assert.equal(tokenClock.nowMs(), WALL_START_MS);
    clock.advance(1500);
    assert.equal(tokenClock.nowMs(), WALL_START_MS + 1500);
  });

  it('[45] goes along forward, and stands still when it is set back a little', () => {
    const clock = new VirtualClock();
    const tokenClock = new TokenClock(clock);
    clock.step(5 * MINUTE_MS);
    assert.equal(tokenClock.nowMs(), WALL_START_MS + 5 * MINUTE_MS);
    clock.step(-5 * MINUTE_MS);
    assert.equal(tokenClock.nowMs(), WALL_START_MS + 5 * MINUTE_MS);
    clock.advance(5 * MINUTE_MS);
    assert.equal(tokenClock.nowMs(), WALL_START_MS + 5 * MINUTE_MS);
    clock.advance(1);
    assert.equal(tokenClock.nowMs(), WALL_START_MS + 5 * MINUTE_MS + 1);
  });

  it('takes a long way back for the end of an error', () => {
    const clock = new VirtualClock();
    clock.step(365 * 24 * 60 * MINUTE_MS);
    const tokenClock = new TokenClock(clock);
    tokenClock.nowMs();
    clock.step(-365 * 24 * 60 * MINUTE_MS);
    assert.equal(tokenClock.nowMs(), WALL_START_MS);
    clock.step(-STEP_BACK_MS_MAX);
    assert.equal(tokenClock.nowMs(), WALL_START_MS);
  });
});
