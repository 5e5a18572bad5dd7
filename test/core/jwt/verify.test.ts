import assert from 'node:assert/strict';
import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { indexKeys, type TrustedIssuer } from '#core/jwt/keyring.ts';
import { isSigned } from '#core/jwt/signature.ts';
import { verifyToken } from '#core/jwt/verify.ts';
import {
  KEYS,
  keyringOf,
  LEEWAY,
  NOW,
  OTHER,
  OWN,
  otherTokenOf,
  part,
  SAMPLE_CLAIMS,
  SAMPLE_HEADER,
  signature,
  tokenOf,
  verificationKey,
} from '#test/support/tokens.ts';

const INDEX = indexKeys(keyringOf());

function verify(token: string, nowSeconds = NOW, keys = INDEX) {
  return verifyToken(token, keys, LEEWAY, nowSeconds * 1000, isSigned);
}

const outcome = (token: string, nowSeconds = NOW) => verify(token, nowSeconds).outcome;

/** How many signatures it takes to judge a token. */
function signaturesChecked(token: string): number {
  let count = 0;
  verifyToken(token, INDEX, LEEWAY, NOW * 1000, (...question) => {
    count++;
    return isSigned(...question);
  });
  return count;
}

describe('an own token', () => {
  it('is valid', () => {
    const result = verify(tokenOf());
    assert.ok(result.outcome === 'valid');
    assert.equal(result.claims.sub, SAMPLE_CLAIMS.sub);
  });

  it('is invalid when any bit of it was changed', () => {
    const bytes = Buffer.from(tokenOf());
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
        assert.notEqual(outcome(changed.toString('latin1')), 'valid');
      }),
    );
  });

  it('[15] says that it is an access token', () => {
    const others = [
      'JWT',
      'jwt',
      'rt+jwt',
      'refresh+jwt',
      'id_token',
      'AT+JWT',
      'application/at+jwt',
      '',
      undefined,
    ];
    for (const typ of others) {
      assert.equal(outcome(tokenOf({ header: { typ } })), 'invalid', String(typ));
    }
  });

  it('[15] is no ID token and no refresh token, though the key is right', () => {
    assert.equal(
      outcome(tokenOf({ header: { typ: 'JWT' }, claims: { nonce: 'n', at_hash: 'h' } })),
      'invalid',
    );
    assert.equal(outcome(tokenOf({ claims: { aud: 'signalbox/auth/refresh' } })), 'invalid');
    assert.equal(outcome(tokenOf({ claims: { sid: undefined } })), 'invalid');
  });

  it('[16] holds for its time and the leeway', () => {
    assert.equal(outcome(tokenOf(), NOW + 900 + LEEWAY), 'invalid');
    assert.equal(outcome(tokenOf(), NOW + 899 + LEEWAY), 'valid');
    assert.equal(outcome(tokenOf(), NOW - LEEWAY), 'valid');
    assert.equal(outcome(tokenOf(), NOW - LEEWAY - 1), 'invalid');
  });

  it('[18] costs no signature unless all else is right', () => {
    assert.equal(signaturesChecked(tokenOf()), 1);
    assert.equal(signaturesChecked(tokenOf({ claims: { exp: NOW - 3600 } })), 0);
    assert.equal(signaturesChecked(tokenOf({ claims: { aud: 'other' } })), 0);
    assert.equal(signaturesChecked(tokenOf({ header: { kid: 'other' } })), 0);
    assert.equal(signaturesChecked(tokenOf({ header: { alg: 'RS256' } })), 0);
    assert.equal(signaturesChecked('A'.repeat(9000)), 0);
  });
});

describe('the algorithm', () => {
  it('[12] is taken from the key, never from the token', () => {
    for (const alg of ['RS256', 'ES256', 'HS256', 'HS512', 'PS256', 'EdDSA ', 'eddsa', 'Ed25519', '']) {
      assert.equal(outcome(tokenOf({ header: { alg } })), 'invalid', alg);
    }
  });

  it('[12] is never none, with or without a signature', () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', 'none ', '']) {
      const signed = `${part({ ...SAMPLE_HEADER, alg })}.${part(SAMPLE_CLAIMS)}`;
      assert.equal(outcome(`${signed}.`), 'invalid', alg);
      assert.equal(outcome(`${signed}.${signature('EdDSA', signed, KEYS.EdDSA.privateKey)}`), 'invalid', alg);
    }
    const signed = `${part(SAMPLE_HEADER)}.${part(SAMPLE_CLAIMS)}`;
    assert.equal(outcome(`${signed}.`), 'invalid');
  });

  it('[12] is not HS256 with a public key for its secret, however that is written', () => {
    for (const alg of ['EdDSA', 'ES256', 'RS256'] as const) {
      const { publicKey } = KEYS[alg];
      const jwk = publicKey.export({ format: 'jwk' });
      const pem = `${publicKey.export({ format: 'pem', type: 'spki' })}`;
      const der = publicKey.export({ format: 'der', type: 'spki' });
      const secrets = [
        pem,
        pem.trim(),
        der,
        JSON.stringify(jwk),
        Buffer.from(jwk.x ?? jwk.n ?? '', 'base64url'),
      ];
      for (const secret of secrets) {
        const key = createSecretKey(typeof secret === 'string' ? Buffer.from(secret) : secret);
        for (const said of ['HS256', alg]) {
          const header = { ...SAMPLE_HEADER, alg: said, kid: alg };
          const claims = { ...SAMPLE_CLAIMS, iss: OTHER.issuer, aud: OTHER.audience };
          const signed = `${part(header)}.${part(claims)}`;
          assert.equal(outcome(`${signed}.${signature('HS256', signed, key)}`), 'invalid', `${said} ${alg}`);
        }
      }
    }
  });

  it('[12] of one key is not that of another: EdDSA, ES256 and RS256 do not mix', () => {
    const algorithms = ['EdDSA', 'ES256', 'RS256'] as const;
    for (const signer of algorithms) {
      for (const kid of algorithms) {
        for (const alg of algorithms) {
          const isRight = signer === kid && kid === alg;
          const result = outcome(otherTokenOf({ alg: signer, header: { alg, kid } }));
          assert.equal(result, isRight ? 'valid' : 'invalid', `${signer} as ${alg} under ${kid}`);
        }
      }
    }
  });

  it('[12] of the same kind with another hash or curve is another one', () => {
    assert.equal(outcome(otherTokenOf({ alg: 'RS256', header: { alg: 'PS256' } })), 'invalid');
    assert.equal(outcome(otherTokenOf({ alg: 'RS256', header: { alg: 'RS512' } })), 'invalid');
    assert.equal(outcome(otherTokenOf({ alg: 'ES256', header: { alg: 'ES384' } })), 'invalid');
    assert.equal(outcome(otherTokenOf({ alg: 'ES256', header: { alg: 'ES256K' } })), 'invalid');
  });

  it('[34] is HS256 where the key is a secret, and then nothing else', () => {
    const secret = createSecretKey(Buffer.alloc(32, 7));
    const shared: TrustedIssuer = { ...OWN, keys: [{ kid: 'own', alg: 'HS256', key: secret }] };
    const keys = indexKeys(keyringOf([shared]));
    const signed = `${part({ ...SAMPLE_HEADER, alg: 'HS256' })}.${part(SAMPLE_CLAIMS)}`;
    const right = signature('HS256', signed, secret);
    assert.equal(verify(`${signed}.${right}`, NOW, keys).outcome, 'valid');
    assert.equal(verify(`${signed}.${right.slice(0, 22)}`, NOW, keys).outcome, 'invalid');
    assert.equal(verify(`${signed}.`, NOW, keys).outcome, 'invalid');
    assert.equal(verify(tokenOf(), NOW, keys).outcome, 'invalid');
  });
});

describe('the key', () => {
  const attacker = generateKeyPairSync('ed25519');
  const attack = (header: object) => {
    const signed = `${part({ ...SAMPLE_HEADER, ...header })}.${part(SAMPLE_CLAIMS)}`;
    return `${signed}.${signature('EdDSA', signed, attacker.privateKey)}`;
  };

  it('[13] is one of our own; another name finds nothing, whatever it looks like', () => {
    const names = [
      '../../../../dev/null',
      '/etc/passwd',
      "' OR 1=1 --",
      "own' UNION SELECT 'x",
      'https://evil.test/key',
      'OWN',
      'own ',
      '__proto__',
      'constructor',
      'toString',
      '',
      '\u0000',
    ];
    for (const kid of names) {
      assert.equal(outcome(tokenOf({ header: { kid } })), 'unknown_key', kid);
      assert.equal(outcome(attack({ kid })), 'unknown_key', kid);
    }
    for (const kid of ['k'.repeat(257), undefined, null, 0, ['own'], { kid: 'own' }]) {
      assert.equal(outcome(tokenOf({ header: { kid } })), 'invalid');
    }
  });

  it("[13] is the issuer's: a key of one issuer proves nothing for another", () => {
    assert.equal(outcome(otherTokenOf({ alg: 'EdDSA', claims: { iss: 'https://evil.test' } })), 'invalid');
    // Signed by the other issuer, who says that it is us.
    assert.equal(outcome(tokenOf({ header: { kid: 'EdDSA' } })), 'unknown_key');
    const twins = indexKeys(
      keyringOf([
        { ...OWN, keys: [verificationKey('EdDSA', 'k')] },
        { ...OTHER, keys: [verificationKey('ES256', 'k')] },
      ]),
    );
    const impostor = tokenOf({ alg: 'ES256', header: { alg: 'ES256', kid: 'k' } });
    assert.equal(verify(impostor, NOW, twins).outcome, 'invalid');
    assert.equal(verify(tokenOf({ header: { kid: 'k' } }), NOW, twins).outcome, 'valid');
  });

  it('[14] is never one that the token brings along or points to', () => {
    const jwk = attacker.publicKey.export({ format: 'jwk' });
    const x5c = [attacker.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')];
    for (const injected of [
      { jwk },
      { jwk: { ...jwk, kid: 'own' } },
      { jku: 'https://evil.test/jwks.json' },
      { x5u: 'https://evil.test/cert.pem' },
      { x5c },
      { jwk, jku: 'https://evil.test/', x5u: 'https://evil.test/', x5c, x5t: 'AAAA' },
    ]) {
      assert.equal(outcome(attack(injected)), 'invalid', JSON.stringify(injected));
      // Such a header does no harm to who signs with the right key.
      assert.equal(outcome(tokenOf({ header: injected })), 'valid');
    }
  });

  it('[14] cannot be changed by an extension that we do not understand', () => {
    assert.equal(outcome(tokenOf({ header: { crit: ['exp'] } })), 'invalid');
    assert.equal(outcome(tokenOf({ header: { crit: ['b64'], b64: false } })), 'invalid');
    assert.equal(outcome(tokenOf({ header: { b64: false } })), 'invalid');
    // RFC 7797: what is signed then is the payload as it is.
    const header = part({ ...SAMPLE_HEADER, b64: false, crit: ['b64'] });
    const signed = `${header}.${JSON.stringify(SAMPLE_CLAIMS)}`;
    const unencoded = signature('EdDSA', signed, KEYS.EdDSA.privateKey);
    assert.equal(outcome(`${header}.${part(SAMPLE_CLAIMS)}.${unencoded}`), 'invalid');
    assert.equal(outcome(`${signed}.${unencoded}`), 'invalid');
  });
});

describe("another issuer's token", () => {
  it('is valid with each kind of key', () => {
    for (const alg of ['EdDSA', 'ES256', 'RS256'] as const)
      assert.equal(outcome(otherTokenOf({ alg })), 'valid');
  });

  it('[15] may say less of its type, but not that it is something else', () => {
    for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt', 'JWT', 'jwt', undefined]) {
      assert.equal(outcome(otherTokenOf({ header: { typ } })), 'valid', String(typ));
    }
    for (const typ of ['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'id+jwt', '', 'at+jwt+x', 7]) {
      assert.equal(outcome(otherTokenOf({ header: { typ } })), 'invalid', String(typ));
    }
  });

  it('asks for the key that it names, where its claims are right', () => {
    const unknown = { outcome: 'unknown_key', issuer: OTHER.issuer };
    assert.deepEqual(verify(otherTokenOf({ header: { kid: 'new' } })), unknown);
    assert.equal(outcome(otherTokenOf({ header: { kid: 'new' }, claims: { aud: 'x' } })), 'invalid');
    assert.equal(outcome(otherTokenOf({ header: { kid: 'new' }, claims: { exp: NOW - 60 } })), 'invalid');
  });
});
