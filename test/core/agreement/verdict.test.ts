import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Verdict } from '#core/agreement/opinion.ts';
import { isAdmitted, verdictOf } from '#core/agreement/verdict.ts';

describe('a verdict', () => {
  const cases: [votes: Verdict[], verdict: Verdict][] = [
    [[], 'unknown'],
    [['unknown', 'unknown'], 'unknown'],
    [['up'], 'up'],
    [['down'], 'down'],
    [['up', 'down', 'down'], 'down'],
    [['up', 'up', 'down'], 'up'],
    [['down', 'unknown', 'unknown'], 'down'],
    [['up', 'down'], 'up'],
    [['up', 'down', 'unknown'], 'up'],
  ];
  for (const [votes, verdict] of cases) {
    it(`of ${votes.join(', ') || 'nobody'} is ${verdict}`, () => assert.equal(verdictOf(votes), verdict));
  }
});

describe('an upstream', () => {
  it('is avoided by whoever cannot reach it, whatever the others say', () => {
    assert.equal(isAdmitted('down', 'up', true), false);
  });

  it('is left by those who can reach it when most cannot', () => {
    assert.equal(isAdmitted('up', 'down', true), false);
  });

  it('is taken on the word of others', () => {
    assert.equal(isAdmitted('unknown', 'up', false), true);
  });

  it('stays as it is while nobody knows', () => {
    assert.equal(isAdmitted('unknown', 'unknown', true), true);
    assert.equal(isAdmitted('unknown', 'unknown', false), false);
  });
});
