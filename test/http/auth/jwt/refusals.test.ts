import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Exchange } from '#actors/request/exchange.ts';
import type { Proven, Refused } from '#actors/request/steps.ts';
import { Fields } from '#core/fields.ts';
import { createAuthenticator } from '#http/auth/authenticator.ts';
import { MissingKeys } from '#http/auth/jwt/missing-keys.ts';
import { TokenVerifier } from '#http/auth/jwt/token-verifier.ts';
import { authenticateStep } from '#http/auth/step.ts';
import { authOf } from '#test/support/auth.ts';
import {
  KEYS,
  keyringOf,
  NOW,
  part,
  revoking,
  SAMPLE_CLAIMS,
  signature,
  tokenOf,
} from '#test/support/tokens.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const AUTH = authOf([], { scheme: 'jwt' });
const INVALID = {
  type: 'request.refused',
  refusal: {
    cause: 'credentials_invalid',
    challenge: 'Bearer realm="signalbox", error="invalid_token"',
  },
};

/** What the step `authenticate` tells of a request, at once. */
function authenticating() {
  const clock = new VirtualClock();
  const verifier = new TokenVerifier(keyringOf(), new MissingKeys(() => {}, clock), clock);
  const never = () => assert.fail('there is no password');
  const step = authenticateStep(createAuthenticator(never, verifier));
  const outcomeOf = (...headers: string[]): Proven | Refused | undefined => {
    const exchange = {
      route: { auth: AUTH },
      request: { headers: Fields.of(headers) },
    } as unknown as Exchange;
    let told: Proven | Refused | undefined;
    step(
      { exchange },
      {
        tell(outcome) {
          told = outcome;
        },
      },
    );
    return told;
  };
  return { verifier, outcomeOf };
}

const { outcomeOf } = authenticating();

describe('a request', () => {
  it('passes with a valid token, and its bearer is known', () => {
    const outcome = outcomeOf('Authorization', `Bearer ${tokenOf()}`);
    assert.ok(outcome?.type === 'identity.proven');
    assert.equal(outcome.identity?.claims?.email, 'ann@example.com');
  });

  it('[19] is refused alike for a bad signature, an expired token, a revoked session and nonsense', () => {
    const { verifier, outcomeOf } = authenticating();
    verifier.revoke(revoking([SAMPLE_CLAIMS.sid, (NOW + 900) * 1000]));
    const forged = `${tokenOf({ claims: { sid: 'other' } }).slice(0, -6)}AAAAAA`;
    const expired = tokenOf({ claims: { sid: 'other', exp: NOW - 3600, iat: NOW - 7200, nbf: NOW - 7200 } });
    const signed = `${part({ alg: 'none', kid: 'own', typ: 'at+jwt' })}.${part(SAMPLE_CLAIMS)}`;
    for (const token of [forged, expired, tokenOf(), `${signed}.`, 'nonsense', 'a.b.c', '', 'a b']) {
      assert.deepEqual(outcomeOf('Authorization', `Bearer ${token}`), INVALID, token);
    }
  });

  it('[20] without credentials gets a challenge without an error', () => {
    const missing = {
      type: 'request.refused',
      refusal: { cause: 'credentials_missing', challenge: 'Bearer realm="signalbox"' },
    };
    assert.deepEqual(outcomeOf(), missing);
    assert.deepEqual(outcomeOf('Authorization', ''), missing);
    assert.deepEqual(outcomeOf('Authorization', 'Basic YTpi'), missing);
    assert.deepEqual(outcomeOf('X-API-Key', tokenOf()), missing);
    assert.deepEqual(outcomeOf('Cookie', `access_token=${tokenOf()}`), missing);
  });

  it('[20] with two Authorization headers is refused as a whole', () => {
    const ambiguous = { type: 'request.refused', refusal: { cause: 'ambiguous_credentials' } };
    const valid = ['Authorization', `Bearer ${tokenOf()}`];
    assert.deepEqual(outcomeOf(...valid, ...valid), ambiguous);
    assert.deepEqual(outcomeOf(...valid, 'AUTHORIZATION', 'Basic x'), ambiguous);
    assert.deepEqual(outcomeOf('authorization', '', ...valid), ambiguous);
  });

  it('[21] may write Bearer as it likes, but not the token', () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
      assert.equal(outcomeOf('Authorization', `${scheme} ${tokenOf()}`)?.type, 'identity.proven');
    }
    assert.deepEqual(outcomeOf('Authorization', `Bearer ${tokenOf().toUpperCase()}`), INVALID);
    assert.deepEqual(outcomeOf('Authorization', `Bearer ${tokenOf()},`), INVALID);
    assert.deepEqual(outcomeOf('Authorization', `Bearer "${tokenOf()}"`), INVALID);
  });

  it('[17] has its token in one piece', () => {
    const token = tokenOf();
    for (const text of [
      `${token} `,
      `${token}\t`,
      `${token} ${token}`,
      token.replace('.', '. '),
      `${token}=`,
    ]) {
      assert.deepEqual(outcomeOf('Authorization', `Bearer ${text}`), INVALID, text);
    }
  });

  it('[18] is refused with a token over 8 KiB, though it is signed', () => {
    const signed = `${part({ alg: 'EdDSA', kid: 'own', typ: 'at+jwt' })}.${part({ ...SAMPLE_CLAIMS, x: 'x'.repeat(8192) })}`;
    const token = `${signed}.${signature('EdDSA', signed, KEYS.EdDSA.privateKey)}`;
    assert.deepEqual(outcomeOf('Authorization', `Bearer ${token}`), INVALID);
  });
});
