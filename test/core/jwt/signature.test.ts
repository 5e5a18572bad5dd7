import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type JWTVerifyOptions, jwtVerify } from 'jose';
import { indexKeys } from '#core/jwt/keyring.ts';
import { isSigned } from '#core/jwt/signature.ts';
import { verifyToken } from '#core/jwt/verify.ts';
import {
  KEYS,
  keyringOf,
  LEEWAY,
  NOW,
  OTHER,
  part,
  SAMPLE_CLAIMS,
  SAMPLE_HEADER,
  signature,
  tokenOf,
} from '#test/support/tokens.ts';

const INDEX = indexKeys(keyringOf());
const outcome = (token: string) => verifyToken(token, INDEX, LEEWAY, NOW * 1000, isSigned).outcome;

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
