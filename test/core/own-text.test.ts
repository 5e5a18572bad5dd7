import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { interned, ownText } from '#core/own-text.ts';
import { RecentMap } from '#core/recent-map.ts';
import { LEARNED_OF, RecentTexts } from '#core/recent-texts.ts';
import { VerifiedTokens } from '#http/auth/jwt/verified-tokens.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

let made = 1000;

/** Bytes that stay after `keep` was given parts of 100 long texts. */
function staying(keep: (part: string) => void): number {
  const round = () => {
    for (let at = 0; at < 100; at++) {
      const text = Buffer.from(`${'v'.repeat(40)} is part number ${made++}${'v'.repeat(100_000)}`).toString(
        'latin1',
      );
      keep(text.slice(0, 60));
    }
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = round();
  return round() - before;
}

describe('a text by itself', () => {
  it('is the same text', () => {
    for (const text of [
      '',
      'a',
      'a longer one than that',
      '€ and more of them €€€€',
      ' a b ',
      '__proto__',
      '7',
    ]) {
      assert.equal(ownText(text), text);
      assert.equal(interned(text), text);
    }
  });

  it('keeps nothing of what it was a part of', () => {
    const kept: string[] = [];
    assert.ok(staying((part) => kept.push(ownText(part))) < 1_000_000);
    assert.ok(staying((part) => kept.push(interned(part))) < 1_000_000);
    assert.ok(staying((part) => kept.push(part)) > 5_000_000, 'else this shows nothing');
  });

  it('is what stays of heads in tables', () => {
    const tokens = new VerifiedTokens<number>();
    const recent = new RecentMap<number>(1000);
    assert.ok(staying((part) => tokens.add(part, 1)) < 1_000_000);
    assert.ok(staying((part) => recent.set(part, 1)) < 1_000_000);
    const tables: RecentTexts<string>[] = [];
    const learn = (part: string) => {
      const texts = new RecentTexts((text) => text);
      tables.push(texts);
      for (let times = 0; times < LEARNED_OF; times++) texts.find(part);
    };
    assert.ok(staying(learn) < 1_000_000);
  });
});
