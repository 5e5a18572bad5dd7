import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WeightedRandom } from '#core/balance/random.ts';
import { seededRandom } from '#core/random.ts';
import { candidates, countNames, pickNames, request, upstreams } from './pool.ts';

const PICKS = 200_000;

describe('random', () => {
  it('keeps to the weights within 1 % of all picks', () => {
    const picked = pickNames(new WeightedRandom(seededRandom(1)), candidates(upstreams(5, 1, 3, 1)), PICKS);
    assertShares(countNames(picked), { a: 0.5, b: 0.1, c: 0.3, d: 0.1 });
  });

  it('keeps to the weights of those left when one was tried', () => {
    const members = upstreams(5, 1, 3, 1);
    const strategy = new WeightedRandom(seededRandom(1));
    const picked = pickNames(strategy, candidates(members), PICKS, request(members.slice(0, 1)));
    assertShares(countNames(picked), { b: 0.2, c: 0.6, d: 0.2 });
  });

  it('repeats itself from the same seed', () => {
    const from = candidates(upstreams(1, 2, 3));
    const run = () => pickNames(new WeightedRandom(seededRandom(7)), from, 100);
    assert.deepEqual(run(), run());
  });
});

function assertShares(counts: Record<string, number>, due: Record<string, number>): void {
  assert.deepEqual(Object.keys(counts).sort(), Object.keys(due));
  for (const [name, share] of Object.entries(due)) {
    const had = (counts[name] ?? 0) / PICKS;
    assert.ok(Math.abs(had - share) < 0.01, `${name} had ${had}, due ${share}`);
  }
}
