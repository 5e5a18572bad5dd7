import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { acceptedTokens, identifyToken, indexOfDigest } from '#http/auth/tokens.ts';
import { authOf } from '#test/support/auth.ts';

describe('identifyToken', () => {
  it('tells holders of different tokens apart without keeping the token', () => {
    const accepted = acceptedTokens(authOf(['dev-token-123', 'test-token-456']));
    const identity = identifyToken(accepted, 'dev-token-123');
    const apiKeyDigest = hash('sha256', 'dev-token-123');
    assert.deepEqual(identity, { key: `token:${apiKeyDigest.slice(0, 16)}`, user: null, apiKeyDigest });
    assert.notEqual(identifyToken(accepted, 'test-token-456')?.key, identity?.key);
    assert.ok(!JSON.stringify(identity).includes('dev-token'));
  });

  it('accepts nothing when nothing is listed', () => {
    assert.equal(identifyToken(acceptedTokens(authOf([])), ''), null);
  });

  it('accepts a key with letters beyond ASCII, as its bytes arrive in a header', () => {
    const accepted = acceptedTokens(authOf(['schlüssel']));
    assert.notEqual(identifyToken(accepted, Buffer.from('schlüssel').toString('latin1')), null);
  });

  it('never accepts what is not listed', () => {
    const tokens = fc.string({ unit: 'binary-ascii' });
    fc.assert(
      fc.property(fc.array(tokens), tokens, (listed, presented) => {
        const identity = identifyToken(acceptedTokens(authOf(listed)), presented);
        assert.equal(identity !== null, listed.includes(presented));
      }),
    );
  });
});

describe('indexOfDigest', () => {
  it('compares with every digest, wherever the match stands', () => {
    const digests = ['a', 'b', 'c'].map((text) => hash('sha256', text, 'buffer'));
    for (const [presented, expected] of [
      ['a', 0],
      ['b', 1],
      ['c', 2],
      ['d', -1],
    ] as const) {
      const compared: Buffer[] = [];
      const index = indexOfDigest(digests, hash('sha256', presented, 'buffer'), (a, b) => {
        compared.push(a);
        return a.equals(b);
      });
      assert.equal(index, expected);
      assert.deepEqual(compared, digests);
    }
  });
});
