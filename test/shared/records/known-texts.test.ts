import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KnownTexts, TEXTS_KNOWN_MAX } from '#shared/records/known-texts.ts';
import { TEXTS } from '#shared/records/layout.ts';

describe('a text that requests have in common', () => {
  it('is known when it comes again soon', () => {
    const texts = new KnownTexts(TEXTS.host);
    const come = (text: string) => texts.find(text) !== undefined;
    assert.deepEqual(['a', 'b', 'a', 'c', 'b', 'c', 'a'].map(come), [
      false,
      false,
      true,
      false,
      true,
      true,
      true,
    ]);
  });

  it('is not known when it comes once in a while, or is too long to be kept whole', () => {
    const texts = new KnownTexts(TEXTS.host);
    for (const text of ['a', 'b', 'c', 'd', 'e', 'a']) assert.equal(texts.find(text), undefined);
    const long = 'x'.repeat(TEXTS.host.bytesMax + 1);
    for (const text of [long, long, long]) assert.equal(texts.find(text), undefined);
  });

  it('is forgotten when so many others came', () => {
    const texts = new KnownTexts(TEXTS.host);
    const learn = (text: string) => texts.find(text) ?? texts.find(text);
    assert.ok(learn('first'));
    for (let nth = 0; nth < 2 * TEXTS_KNOWN_MAX; nth++) assert.ok(learn(`host ${nth}`));
    assert.equal(texts.find('first'), undefined);
  });
});
