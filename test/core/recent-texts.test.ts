import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LEARNED_OF, RecentTexts } from '#core/recent-texts.ts';

describe('a text that is cut out of each head anew', () => {
  it('is known when it has come a few times', () => {
    const lengths = new RecentTexts((text) => text.length);
    const found = Array.from({ length: LEARNED_OF + 2 }, () => lengths.find('curl/8'.slice(0)));
    assert.deepEqual(new Set(found.slice(0, LEARNED_OF - 1)), new Set([undefined]));
    assert.deepEqual(found.slice(LEARNED_OF - 1), [6, 6, 6]);
  });

  it('is never taken for another one', () => {
    const texts = new RecentTexts((text) => `${text} itself`);
    const text = fc.oneof(
      fc.stringMatching(/^[a-d]{0,3}$/),
      fc.constantFrom('ab'.repeat(50), 'cb'.repeat(50)),
    );
    let found = 0;
    fc.assert(
      fc.property(text, (text) => {
        const value = texts.find(text);
        if (value === undefined) return;
        found++;
        assert.equal(value, `${text} itself`);
      }),
      { numRuns: 2000 },
    );
    assert.ok(found > 0, 'else this shows nothing');
  });

  it('is not known if there is none, if it is too long, or if nothing is made of it', () => {
    const texts = new RecentTexts((text) => (text === 'bad' ? undefined : text));
    for (const text of ['', 'x'.repeat(257), 'bad'])
      for (let nth = 0; nth < 3 * LEARNED_OF; nth++) assert.equal(texts.find(text), undefined);
  });
});
