import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RecentMatches } from '#core/recent-matches.ts';

describe('texts that come again', () => {
  it('match as the expression says, each time', () => {
    const expression = /^[a-c]*$/;
    const matches = new RecentMatches(expression);
    const text = fc.oneof(
      fc.stringMatching(/^[a-d]{0,3}$/),
      fc.constantFrom('a'.repeat(300), `${'a'.repeat(300)}d`),
    );
    fc.assert(
      fc.property(text, (text) => {
        for (let times = 0; times < 2; times++)
          assert.equal(matches.find(text), expression.test(text) ? text : null);
      }),
      { numRuns: 1000 },
    );
  });
});
