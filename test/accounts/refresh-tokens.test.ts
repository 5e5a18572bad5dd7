import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { digestOf, newRefreshToken, seal, unseal } from '#accounts/refresh-tokens.ts';

describe('a refresh token', () => {
  it('[23] has 256 random bits, and is known by its SHA-256', () => {
    const token = newRefreshToken();
    assert.equal(Buffer.from(token, 'base64url').length, 32);
    assert.notEqual(token, newRefreshToken());
    assert.equal(digestOf(token), hash('sha256', token));
  });

  it('[40] cannot be anything else', () => {
    const token = newRefreshToken();
    for (const text of ['', `${token}A`, token.slice(1), `${token.slice(1)}'`, "' OR 1=1 --", `${token}\n`]) {
      assert.equal(digestOf(text), null, text);
    }
  });

  it('[24] gives its successor to whoever has it, and to nobody else', () => {
    const [token, successor] = [newRefreshToken(), newRefreshToken()];
    const sealed = seal(successor, token);
    assert.equal(unseal(sealed, token), successor);
    assert.throws(() => unseal(sealed, newRefreshToken()));
    assert.ok(!sealed.includes(successor));
  });
});
