import assert from 'node:assert/strict';
import { createPublicKey, createSecretKey, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type JWTVerifyOptions, jwtVerify } from 'jose';
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

/** In the manner of Project Wycheproof, by hand: signatures that are almost right. */
describe('a signature', () => {
  const signed = `${part({ alg: 'ES256', kid: 'ES256' })}.${part({ iss: OTHER.issuer, aud: 'api', sub: 'a', exp: NOW + 60 })}`;
  const right = Buffer.from(signature('ES256', signed, KEYS.ES256.privateKey), 'base64url');
  const judged = (bytes: Buffer) => outcome(`${signed}.${bytes.toString('base64url')}`);
  const ORDER = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');

  it('[44] of ECDSA has two numbers of 32 bytes that are not zero, and is in no other form', () => {
    assert.equal(judged(right), 'valid');
    const zero = Buffer.alloc(32);
    const r = right.subarray(0, 32);
    const s = right.subarray(32);
    const der = Buffer.concat([Buffer.from([0x30, 0x44, 2, 32]), r, Buffer.from([2, 32]), s]);
    const wrong = [
      Buffer.alloc(64),
      Buffer.concat([zero, s]),
      Buffer.concat([r, zero]),
      Buffer.concat([ORDER, s]),
      Buffer.concat([r, ORDER]),
      Buffer.concat([ORDER, ORDER]),
      Buffer.alloc(64, 0xff),
      Buffer.concat([s, r]),
      der,
      right.subarray(0, 63),
      right.subarray(1),
      Buffer.concat([right, Buffer.from([0])]),
      Buffer.concat([Buffer.from([0]), right]),
      Buffer.concat([Buffer.from([0]), r, Buffer.from([0]), s]),
      Buffer.alloc(0),
    ];
    for (const bytes of wrong) assert.equal(judged(bytes), 'invalid', bytes.toString('hex'));
  });

  it('[44] of Ed25519 is of one form: its number is below the order, its points are the key and no trivial one', () => {
    const own = `${part(SAMPLE_HEADER)}.${part(SAMPLE_CLAIMS)}`;
    const bytes = Buffer.from(signature('EdDSA', own, KEYS.EdDSA.privateKey), 'base64url');
    const r = bytes.subarray(0, 32);
    const s = bytes.subarray(32);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const plusOrder = (BigInt(`0x${Buffer.from(s).reverse().toString('hex')}`) + order)
      .toString(16)
      .padStart(64, '0');
    const wrong = [
      Buffer.concat([r, Buffer.from(plusOrder, 'hex').reverse()]),
      Buffer.concat([r, Buffer.alloc(32)]),
      Buffer.concat([Buffer.alloc(32), s]),
      Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]),
      Buffer.alloc(64),
      Buffer.alloc(64, 0xff),
      bytes.subarray(0, 63),
      Buffer.concat([bytes, Buffer.from([0])]),
      Buffer.alloc(0),
    ];
    assert.equal(outcome(`${own}.${bytes.toString('base64url')}`), 'valid');
    for (const one of wrong)
      assert.equal(outcome(`${own}.${one.toString('base64url')}`), 'invalid', one.toString('hex'));
  });

  it('[44] of RSA is as long as the key, and padded as PKCS #1 has it', () => {
    const head = `${part({ alg: 'RS256', kid: 'RS256' })}.${part({ iss: OTHER.issuer, aud: 'api', sub: 'a', exp: NOW + 60 })}`;
    const bytes = Buffer.from(signature('RS256', head, KEYS.RS256.privateKey), 'base64url');
    const { n = '' } = createPublicKey(KEYS.RS256.privateKey).export({ format: 'jwk' });
    const wrong = [
      bytes.subarray(1),
      Buffer.concat([Buffer.from([0]), bytes]),
      Buffer.concat([bytes, Buffer.from([0])]),
      Buffer.alloc(256),
      Buffer.from([...Buffer.alloc(255), 1]),
      Buffer.from(n, 'base64url'),
      Buffer.alloc(0),
    ];
    assert.equal(outcome(`${head}.${bytes.toString('base64url')}`), 'valid');
    for (const one of wrong) assert.equal(outcome(`${head}.${one.toString('base64url')}`), 'invalid');
  });

  it('[44] is over the text as it was sent, not over what it says', () => {
    // The same header and claims, but written otherwise.
    const spaced = `${part(JSON.stringify(SAMPLE_HEADER, null, 1))}.${part(SAMPLE_CLAIMS)}`;
    const [, , right = ''] = tokenOf().split('.');
    assert.equal(outcome(`${spaced}.${right}`), 'invalid');
    assert.equal(outcome(`${spaced}.${signature('EdDSA', spaced, KEYS.EdDSA.privateKey)}`), 'valid');
  });
});

describe('what is accepted here', () => {
  const options: JWTVerifyOptions = {
    algorithms: ['EdDSA'],
    issuer: 'signalbox',
    audience: 'signalbox',
    typ: 'at+jwt',
    clockTolerance: LEEWAY,
    currentDate: new Date(NOW * 1000),
  };

  it('[44] is accepted by jose, whatever was done to a token', async () => {
    const [header = '', payload = '', right = ''] = tokenOf().split('.');
    const odd = fc.oneof(
      fc.constant(undefined),
      fc.string(),
      fc.integer(),
      fc.double(),
      fc.array(fc.string()),
    );
    const name = fc.constantFrom('iss', 'aud', 'sub', 'exp', 'nbf', 'iat', 'sid', 'jti', 'email', 'x');
    const token = fc.oneof(
      fc.dictionary(name, odd).map((claims) => tokenOf({ claims })),
      fc
        .dictionary(fc.constantFrom('alg', 'typ', 'kid', 'crit', 'x'), odd)
        .map((head) => tokenOf({ header: head })),
      fc
        .constantFrom(header, payload, right)
        .chain((piece) => fc.constant([header, payload, piece].join('.'))),
    );
    await fc.assert(
      fc.asyncProperty(token, async (text) => {
        if (outcome(text) !== 'valid') return;
        await assert.doesNotReject(jwtVerify(text, KEYS.EdDSA.publicKey, options));
      }),
    );
  });
});
