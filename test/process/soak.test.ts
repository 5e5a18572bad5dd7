import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { soak } from '#test/support/soak/soak.ts';

/** Each fault at least once; `npm run soak` does the same for longer. */
const SOAK_MS = 12_000;

describe('mixed traffic with faults', () => {
  it('adds up: every request has one outcome, and nothing stays in use', async (t) => {
    const { tally, faults, complaints } = await soak(t, SOAK_MS);
    assert.deepEqual(complaints, []);
    assert.ok(tally.answered > 1_000, `only ${tally.answered} requests were answered`);
    assert.equal(Object.keys(faults).length, 5);
  });
});
