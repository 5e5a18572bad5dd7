import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TEXTS } from '#shared/records/layout.ts';
import { LEARNED_OF, RecentTexts } from '#shared/records/recent-texts.ts';
import { textWords } from '#shared/records/text-words.ts';

const { code, bytesMax } = TEXTS.userAgent;

describe('a text that is cut out of each head anew', () => {
  it('is known when it has come a few times', () => {
    const texts = new RecentTexts(TEXTS.userAgent);
    const come = () => texts.find('curl/8'.slice(0)) !== undefined;
    const known = Array.from({ length: LEARNED_OF + 2 }, come);
    assert.deepEqual(known.slice(0, LEARNED_OF - 1).filter(Boolean), []);
    assert.deepEqual(known.slice(LEARNED_OF - 1), [true, true, true]);
  });

  it('is never taken for another one', () => {
    const texts = new RecentTexts(TEXTS.userAgent);
    for (let nth = 0; nth < 2000; nth++) {
      const text = `agent ${nth % 7} ${nth % 3}${'x'.repeat(nth % 5)}`;
      const words = texts.find(text);
      if (words !== undefined) assert.deepEqual(words, textWords(code, text, bytesMax));
    }
  });

  it('is not known if there is none, or if it is too long to be kept whole', () => {
    const texts = new RecentTexts(TEXTS.userAgent);
    for (const text of ['', 'x'.repeat(bytesMax + 1)])
      for (let nth = 0; nth < 3 * LEARNED_OF; nth++) assert.equal(texts.find(text), undefined);
  });
});
