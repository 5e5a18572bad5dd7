import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { mergeOpinions, type StampedOpinion, type Verdict } from '#core/agreement/opinion.ts';

// Few values, so that stamps often meet.
const stamps = fc.tuple(fc.nat(2), fc.nat(2)).map(([incarnation, sequence]) => ({ incarnation, sequence }));
const opinions = fc
  .tuple(fc.constantFrom<Verdict[]>('up', 'down', 'unknown'), fc.constantFrom('', 'timeout'), stamps)
  .map(([verdict, reason, stamp]): StampedOpinion => ({ verdict, reason, stamp }));

describe('merging opinions', () => {
  it('is commutative', () => {
    const property = fc.property(opinions, opinions, (a, b) => {
      assert.deepEqual(mergeOpinions(a, b), mergeOpinions(b, a));
    });
    fc.assert(property);
  });

  it('is associative', () => {
    const property = fc.property(opinions, opinions, opinions, (a, b, c) => {
      assert.deepEqual(mergeOpinions(mergeOpinions(a, b), c), mergeOpinions(a, mergeOpinions(b, c)));
    });
    fc.assert(property);
  });

  it('is idempotent', () => {
    fc.assert(fc.property(opinions, (a) => assert.equal(mergeOpinions(a, a), a)));
  });

  it('keeps what was said last, a restart being later than all before it', () => {
    const before: StampedOpinion = { verdict: 'up', reason: '', stamp: { incarnation: 1, sequence: 900 } };
    const after: StampedOpinion = { verdict: 'down', reason: '', stamp: { incarnation: 2, sequence: 0 } };
    assert.equal(mergeOpinions(before, after), after);
  });
});
