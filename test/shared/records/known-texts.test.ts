import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LEARNED_OF } from '#core/recent-texts.ts';
import { KnownTexts, TEXTS_KNOWN_MAX } from '#shared/records/known-texts.ts';
import { TEXTS } from '#shared/records/layout.ts';

function come(texts: KnownTexts, text: string, times: number): boolean {
  for (let nth = 0; nth < times; nth++) texts.find(text);
  return texts.find(text) !== undefined;
}

describe('a text that requests have in common', () => {
  it('is known when it has come a few times', () => {
    const texts = new KnownTexts(TEXTS.host);
    assert.equal(come(texts, 'a', LEARNED_OF - 2), false);
    assert.equal(come(texts, 'a', 0), true);
  });

  it('is known among dozens of others, each as often', () => {
    const texts = new KnownTexts(TEXTS.identity);
    const users = Array.from({ length: 50 }, (_, nth) => `user ${nth}`);
    for (let round = 0; round < 2 * LEARNED_OF; round++) for (const user of users) texts.find(user);
    const known = users.filter((user) => texts.find(user) !== undefined);
    assert.ok(known.length > users.length / 2, `only ${known.length} are known`);
  });

  it('is not known if it is too long to be kept whole', () => {
    const texts = new KnownTexts(TEXTS.host);
    assert.equal(come(texts, 'x'.repeat(TEXTS.host.bytesMax + 1), 3 * LEARNED_OF), false);
  });

  it('is forgotten when so many others came', () => {
    const texts = new KnownTexts(TEXTS.host);
    assert.ok(come(texts, 'first', LEARNED_OF));
    for (let nth = 0; nth < 2 * TEXTS_KNOWN_MAX; nth++) assert.ok(come(texts, `host ${nth}`, LEARNED_OF));
    assert.equal(come(texts, 'first', 0), false);
  });
});
