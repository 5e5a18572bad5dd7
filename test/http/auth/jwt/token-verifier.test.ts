import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { setImmediate as promisesToSettle } from 'node:timers/promises';
import type { Keyring } from '#core/jwt/keyring.ts';
import { isSigned } from '#core/jwt/signature.ts';
import { MissingKeys } from '#http/auth/jwt/missing-keys.ts';
import { TokenVerifier } from '#http/auth/jwt/token-verifier.ts';
import {
  keyringOf,
  LEEWAY,
  NOW,
  OTHER,
  OWN,
  otherTokenOf,
  revoking,
  SAMPLE_CLAIMS,
  tokenOf,
  verificationKey,
} from '#test/support/tokens.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const MINUTE_MS = 60_000;
const { sub, sid } = SAMPLE_CLAIMS;
const REVOKED = revoking([sid, (NOW + 900 + LEEWAY) * 1000]);

/** A verifier that counts the signatures it checks and the keys it asks for. */
function verifying(keyring: Keyring = keyringOf()) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const count = { signatures: 0 };
  const verifier = new TokenVerifier(
    keyring,
    new MissingKeys((issuer) => asked.push(issuer), clock),
    clock,
    (...question) => {
      count.signatures++;
      return isSigned(...question);
    },
  );
  const userOf = (token: string) => {
    const bearer = verifier.verify(token);
    assert.ok(!(bearer instanceof Promise), 'the answer was to be known at once');
    return bearer?.user ?? null;
  };
  return { clock, asked, count, verifier, userOf };
}

describe('a bearer', () => {
  it('is who the token says', () => {
    const { verifier } = verifying();
    assert.deepEqual(verifier.verify(tokenOf()), {
      key: `user:${sub}`,
      user: sub,
      apiKeyDigest: null,
      claims: { iss: 'signalbox', sub, email: 'ann@example.com' },
    });
  });

  it("is not taken for one of our users when another issuer's user is called the same", () => {
    const { verifier } = verifying();
    const bearer = verifier.verify(otherTokenOf({ claims: { sub } }));
    assert.ok(bearer !== null && !(bearer instanceof Promise));
    assert.equal(bearer.user, `${OTHER.issuer} ${sub}`);
    assert.deepEqual(bearer.claims, { iss: OTHER.issuer, sub, email: null });
  });

  it('is nobody without keys', () => {
    const { userOf } = verifying({ revision: 0, leewaySeconds: 0, issuers: [] });
    assert.equal(userOf(tokenOf()), null);
  });
});

describe('a token that was verified', () => {
  it('[22] costs no cryptography the second time', () => {
    const { count, userOf } = verifying();
    for (let request = 0; request < 10; request++)
      assert.equal(userOf(tokenOf({ claims: { iat: NOW } })), sub);
    assert.equal(count.signatures, 1);
  });

  it('[22] is only that very text', () => {
    const { count, userOf } = verifying();
    const token = tokenOf();
    assert.equal(userOf(token), sub);
    assert.equal(userOf(`${token.slice(0, -20)}${'A'.repeat(20)}`), null);
    assert.equal(userOf(token.toLowerCase()), null);
    assert.equal(userOf(`${token} `), null);
    assert.equal(count.signatures, 2);
  });

  it('[22] is refused from the moment that it has expired', () => {
    const { clock, count, userOf } = verifying();
    const token = tokenOf();
    assert.equal(userOf(token), sub);
    clock.advance((900 + LEEWAY) * 1000 - 1);
    assert.equal(userOf(token), sub);
    clock.advance(1);
    assert.equal(userOf(token), null);
    assert.equal(count.signatures, 1);
  });

  it('[22] is refused from the moment that its key is removed', async () => {
    const { verifier, userOf } = verifying();
    assert.equal(userOf(tokenOf()), sub);
    const without = keyringOf([{ ...OWN, keys: [] }], 2);
    verifier.useKeyring(without);
    const bearer = verifier.verify(tokenOf());
    verifier.useKeyring(without);
    assert.equal(await bearer, null);
    assert.equal(userOf(tokenOf()), null);
  });

  it('[22] is refused from the moment that its issuer is removed, or its key is another', () => {
    const { verifier, userOf } = verifying();
    assert.equal(userOf(tokenOf()), sub);
    const key = { kid: 'own', alg: 'EdDSA', key: generateKeyPairSync('ed25519').publicKey } as const;
    verifier.useKeyring(keyringOf([{ ...OWN, keys: [key] }], 2));
    assert.equal(userOf(tokenOf()), null);
    verifier.useKeyring(keyringOf([OWN], 3));
    assert.equal(userOf(tokenOf()), sub);
    verifier.useKeyring(keyringOf([OTHER], 4));
    assert.equal(userOf(tokenOf()), null);
  });

  it('[33] stays valid in a rotation, as long as its key is there', () => {
    const { verifier, count, userOf } = verifying();
    userOf(tokenOf());
    const next = { kid: 'next', alg: 'EdDSA', key: generateKeyPairSync('ed25519').publicKey } as const;
    verifier.useKeyring(keyringOf([{ ...OWN, keys: [verificationKey('EdDSA', 'own'), next] }], 2));
    assert.equal(userOf(tokenOf()), sub);
    assert.equal(count.signatures, 2);
  });

  it('is not forgotten for a keyring that is the same', () => {
    const { verifier, count, userOf } = verifying();
    userOf(tokenOf());
    verifier.useKeyring(keyringOf());
    userOf(tokenOf());
    assert.equal(count.signatures, 1);
  });

  it('[22] is refused from the moment that its session is revoked, and its twin of another session is not', () => {
    const { verifier, userOf } = verifying();
    const other = tokenOf({ claims: { sid: 'another' } });
    assert.equal(userOf(tokenOf()), sub);
    assert.equal(userOf(other), sub);
    verifier.revoke(REVOKED);
    assert.equal(userOf(tokenOf()), null);
    assert.equal(userOf(tokenOf({ claims: { jti: 'another' } })), null);
    assert.equal(userOf(other), sub);
  });
});

describe('a revocation', () => {
  it('[31] holds in a worker that starts later, from its first request', () => {
    const { verifier, count, userOf } = verifying();
    verifier.revoke(REVOKED);
    assert.equal(userOf(tokenOf()), null);
    assert.equal(userOf(tokenOf()), null);
    // Known by then: refusing it again costs nothing either.
    assert.equal(count.signatures, 1);
  });

  it('[31] holds until the last token of the session has expired', () => {
    const { clock, verifier, userOf } = verifying();
    verifier.revoke(REVOKED);
    for (let minute = 0; minute < 20; minute++) {
      clock.advance(MINUTE_MS);
      verifier.revoke(revoking());
      assert.equal(userOf(tokenOf()), null, `after ${minute + 1} minutes`);
    }
  });

  it("[31] is of our sessions: another issuer's may be called the same", () => {
    const { verifier, userOf } = verifying();
    verifier.revoke(REVOKED);
    assert.equal(userOf(otherTokenOf({ claims: { sid } })), `${OTHER.issuer} ann`);
  });
});

describe('a clock that is set', () => {
  it('[45] forward ends tokens at once, those that were verified, too', () => {
    const { clock, userOf } = verifying();
    const token = tokenOf({ claims: { exp: NOW + 240 } });
    assert.equal(userOf(token), sub);
    clock.step(5 * MINUTE_MS);
    assert.equal(userOf(token), null);
  });

  it('[45] back revives nothing that has expired, verified before or not', () => {
    const { clock, userOf } = verifying();
    const known = tokenOf({ claims: { exp: NOW + 60 } });
    const unknown = tokenOf({ claims: { exp: NOW + 60, jti: 'unknown' } });
    assert.equal(userOf(known), sub);
    clock.advance((60 + LEEWAY) * 1000);
    assert.equal(userOf(known), null);
    clock.step(-5 * MINUTE_MS);
    assert.equal(userOf(known), null);
    assert.equal(userOf(unknown), null);
    clock.advance(4 * MINUTE_MS);
    assert.equal(userOf(known), null);
  });

  it('[45] forward and back again leaves no revoked session behind', () => {
    const { clock, verifier, userOf } = verifying();
    verifier.revoke(revoking([sid, (NOW + 240) * 1000]));
    clock.step(5 * MINUTE_MS);
    verifier.revoke(revoking(['another', (NOW + 900) * 1000]));
    clock.step(-5 * MINUTE_MS);
    assert.equal(userOf(tokenOf({ claims: { exp: NOW + 200 } })), null);
  });

  it('[45] does not touch tokens whose time it still is', () => {
    const { clock, userOf } = verifying();
    for (const step of [5, -5, -5, 5]) {
      clock.step(step * MINUTE_MS);
      assert.equal(userOf(tokenOf()), sub);
    }
  });

  it('[45] is the wall clock: how long the machine has run does not matter', () => {
    const { clock, userOf } = verifying();
    const token = tokenOf();
    assert.equal(userOf(token), sub);
    clock.advance(20 * MINUTE_MS);
    clock.step(-20 * MINUTE_MS);
    // A correction of more than ten minutes: the clock had been wrong.
    assert.equal(userOf(token), sub);
  });
});

describe('a token with a new key', () => {
  const known = keyringOf([OWN, { ...OTHER, keys: [] }]);

  it('[35] waits until the control plane has looked for the key, and is then accepted', async () => {
    const { asked, verifier } = verifying(known);
    const bearer = verifier.verify(otherTokenOf());
    assert.ok(bearer instanceof Promise);
    assert.deepEqual(asked, [OTHER.issuer]);
    verifier.useKeyring(keyringOf([OWN, OTHER], 2));
    assert.equal((await bearer)?.user, `${OTHER.issuer} ann`);
  });

  it('[35] is refused when there is no such key, and not asked for again at once', async () => {
    const { asked, verifier, userOf } = verifying(known);
    const bearer = verifier.verify(otherTokenOf());
    verifier.useKeyring(known);
    assert.equal(await bearer, null);
    assert.equal(userOf(otherTokenOf()), null);
    assert.equal(asked.length, 1);
  });

  it('does not make those wait whose key is known', async () => {
    const { verifier, userOf } = verifying(known);
    let isSettled = false;
    const bearer = verifier.verify(otherTokenOf());
    assert.ok(bearer instanceof Promise);
    void bearer.then(() => {
      isSettled = true;
    });
    assert.equal(userOf(tokenOf()), sub);
    await promisesToSettle();
    assert.equal(isSettled, false);
    verifier.useKeyring(known);
    await bearer;
  });

  it('[13] asks nobody when its issuer is not trusted', () => {
    const { asked, userOf } = verifying();
    assert.equal(userOf(otherTokenOf({ claims: { iss: 'https://evil.test' } })), null);
    assert.deepEqual(asked, []);
  });
});
