import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  TOKEN_CHARACTERS_MAX,
  TOKENS_REMEMBERED_MAX,
  VerifiedTokens,
} from '#http/auth/jwt/verified-tokens.ts';

describe('the tokens that were verified', () => {
  it('are remembered with what they said', () => {
    const verified = new VerifiedTokens<number>();
    verified.add('a', 1);
    assert.equal(verified.get('a'), 1);
    assert.equal(verified.get('b'), undefined);
    verified.clear();
    assert.equal(verified.get('a'), undefined);
    assert.equal(verified.size, 0);
  });

  it('are told apart however much they have in common', () => {
    const verified = new VerifiedTokens<number>();
    const end = 'x'.repeat(100);
    verified.add(`a${end}`, 1);
    assert.equal(verified.get(`b${end}`), undefined);
    assert.equal(verified.get(end), undefined);
    assert.equal(verified.get(`a${end}`), 1);
    verified.add(`b${end}`, 2);
    assert.equal(verified.get(`b${end}`), 2);
    assert.notEqual(verified.get(`a${end}`), 2);
  });

  it('[22] are bounded in number', () => {
    const verified = new VerifiedTokens<number>();
    for (let number = 0; number < 5 * TOKENS_REMEMBERED_MAX; number++) {
      verified.add(`token ${number}`, number);
      assert.ok(verified.size <= 2 * TOKENS_REMEMBERED_MAX);
    }
    assert.equal(verified.get('token 0'), undefined);
  });

  it('[22] are bounded in length', () => {
    const verified = new VerifiedTokens<number>();
    const length = 8 * 1024;
    for (let number = 0; number < 2000; number++) verified.add(String(number).padEnd(length), number);
    assert.ok(verified.size * length <= 2 * TOKEN_CHARACTERS_MAX);
    assert.equal(verified.get('1999'.padEnd(length)), 1999);
  });

  it('stay as long as they are used, however many others come', () => {
    const verified = new VerifiedTokens<number>();
    verified.add('used', 7);
    for (let number = 0; number < 5 * TOKENS_REMEMBERED_MAX; number++) {
      verified.add(`token ${number}`, number);
      if (number % 1000 === 0) assert.equal(verified.get('used'), 7);
    }
  });
});
