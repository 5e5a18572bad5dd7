import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Bearers, refusalFor } from '#accounts/bearer.ts';
import { keyringOf, OTHER, OWN, otherTokenOf, SAMPLE_CLAIMS, tokenOf } from '#test/support/tokens.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const NONE_REVOKED = { has: (_: string) => false };

function read(headers: string[], clock = new VirtualClock(), revocations = NONE_REVOKED) {
  return new Bearers(() => keyringOf([OWN, OTHER]), revocations, clock).read(headers);
}

describe('the bearer of a request to /auth', () => {
  it('is the user and the session of an own access token', () => {
    const { sub: userId, sid: sessionId } = SAMPLE_CLAIMS;
    const header = ['authorization', `bearer ${tokenOf()}`];
    assert.deepEqual(read(header), { userId, sessionId, isRevoked: false });
    const revoked = { has: (sid: string) => sid === sessionId };
    assert.deepEqual(read(header, undefined, revoked), { userId, sessionId, isRevoked: true });
  });

  it('[15] is nobody by a token of another issuer, or one that is no access token', () => {
    for (const token of [otherTokenOf(), tokenOf({ header: { typ: 'JWT' } }), 'A'.repeat(43), 'x.y.z']) {
      assert.equal(read(['Authorization', `Bearer ${token}`]), 'malformed');
    }
  });

  it('[20] is asked for where there is none, and refused where there are two', () => {
    assert.deepEqual(refusalFor(read([])), {
      cause: 'credentials_missing',
      challenge: 'Bearer realm="signalbox"',
    });
    const twice = ['Authorization', `Bearer ${tokenOf()}`, 'Authorization', `Bearer ${tokenOf()}`];
    assert.deepEqual(refusalFor(read(twice)), { cause: 'ambiguous_credentials' });
  });

  it('[19] is refused alike for a bad token and an ended session', () => {
    const ended = read(['Authorization', `Bearer ${tokenOf()}`], undefined, { has: (_: string) => true });
    const bad = read(['Authorization', 'Bearer x']);
    assert.deepEqual(refusalFor(ended), refusalFor(bad));
    assert.deepEqual(refusalFor(bad), {
      cause: 'credentials_invalid',
      challenge: 'Bearer realm="signalbox", error="invalid_token"',
    });
  });

  // History: here, unlike in the workers, an expired token came back to life when the clock was set back.
  it('[45] is not revived by a clock that is set back', () => {
    const clock = new VirtualClock();
    const bearers = new Bearers(() => keyringOf(), NONE_REVOKED, clock);
    const header = ['Authorization', `Bearer ${tokenOf()}`];
    clock.advance(940_000);
    assert.equal(bearers.read(header), 'malformed');
    clock.step(-300_000);
    assert.equal(bearers.read(header), 'malformed');
  });
});
