import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '#core/random.ts';
import { Overload, SHARE_DOWN, SHARE_UP } from '#http/overload.ts';

const LAG_MS = 100;
const TRIES = 2000;
const DUE_MS = 5000;

/** After probes that were late by so much, the share of the requests turned away `sinceDueMs` after the next is due. */
function shareAfter(latesMs: readonly number[], sinceDueMs = -1, lagMs = LAG_MS): number {
  const overload = new Overload(lagMs, { isFull: false }, seededRandom(1));
  for (const lateMs of latesMs) overload.probed(lateMs, DUE_MS);
  const reasons = Array.from({ length: TRIES }, () => overload.shed(DUE_MS + sinceDueMs));
  return reasons.filter((reason) => reason === 'lag').length / TRIES;
}

function near(share: number, expected: number): void {
  assert.ok(Math.abs(share - expected) < 0.04, `${share}, not ${expected}`);
}

describe('a worker that is late', () => {
  it('turns nobody away while it is no later than it may be, or only once', () => {
    assert.equal(shareAfter([]), 0);
    assert.equal(shareAfter([LAG_MS, LAG_MS, LAG_MS], LAG_MS), 0);
    assert.equal(shareAfter([10_000]), 0);
    assert.equal(shareAfter([10_000, 0]), 0);
    assert.equal(shareAfter([], 10_000), 0);
  });

  it('turns more and more away, up to all, and the more the later it is', () => {
    near(shareAfter([1000, 1000]), SHARE_UP);
    near(shareAfter([1000, 1000, 1000, 1000]), 3 * SHARE_UP);
    near(shareAfter([150, 150, 150, 150]), 1.5 * SHARE_UP);
    assert.equal(shareAfter(Array.from({ length: 12 }, () => 1000)), 1);
  });

  it('turns less and less away when it is late no more', () => {
    const late = [1000, 1000, 1000];
    const inTime = (count: number) => Array.from({ length: count }, () => 0);
    near(shareAfter([...late, ...inTime(5)]), 2 * SHARE_UP - 5 * SHARE_DOWN);
    assert.equal(shareAfter([...late, ...inTime(11)]), 0);
  });

  it('turns new work away within a turn that takes too long, if the one before did', () => {
    near(shareAfter([1000], LAG_MS * 1.25), 0.25);
    near(shareAfter([1000], LAG_MS * 1.75), 0.75);
    assert.equal(shareAfter([1000], LAG_MS * 2), 1);
    near(shareAfter([LAG_MS * 1.5], 10_000), 0.5);
  });

  it('takes nothing on while the instance holds as much as it may', () => {
    const held = { isFull: true };
    const overload = new Overload(LAG_MS, held, seededRandom(1));
    assert.equal(overload.shed(0), 'memory');
    held.isFull = false;
    assert.equal(overload.shed(0), null);
  });

  it('turns nobody away where it is not to', () => {
    assert.equal(shareAfter([10_000, 10_000, 10_000], 10_000, 0), 0);
  });
});
