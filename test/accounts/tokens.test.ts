import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { sharedSecret } from '#accounts/keys/shared-secret.ts';
import type { SigningKeys } from '#accounts/keys/signing-keys.ts';
import { TokenIssuer } from '#accounts/tokens.ts';
import { indexKeys } from '#core/jwt/keyring.ts';
import { isSigned } from '#core/jwt/signature.ts';
import { verifyToken } from '#core/jwt/verify.ts';
import { KEYS, keyringOf, NOW } from '#test/support/tokens.ts';
import { VirtualClock, WALL_START_MS } from '#test/support/virtual-clock.ts';
import { jwtSettings } from './support.ts';

const SUBJECT = { userId: 'user-1', email: 'ann@example.com', sessionId: 'session-1' };
const SIGNER = { alg: 'EdDSA', kid: 'own', key: KEYS.EdDSA.privateKey } as const;

function issuing(keys: Pick<SigningKeys, 'signer'> = { signer: () => SIGNER }) {
  const clock = new VirtualClock();
  return { clock, tokens: new TokenIssuer(jwtSettings(), keys as SigningKeys, clock) };
}

describe('an access token', () => {
  it('[15] says what it is, and by which key it is verified', async () => {
    const { token } = await issuing().tokens.issueAccessToken(SUBJECT);
    assert.deepEqual(decodeProtectedHeader(token), { alg: 'EdDSA', typ: 'at+jwt', kid: 'own' });
  });

  it('[16] has all of its claims', async () => {
    const { token, expiresInSeconds } = await issuing().tokens.issueAccessToken(SUBJECT);
    const { jti, ...claims } = decodeJwt(token);
    assert.deepEqual(claims, {
      iss: 'signalbox',
      aud: 'signalbox',
      sub: 'user-1',
      email: 'ann@example.com',
      sid: 'session-1',
      iat: NOW,
      nbf: NOW,
      exp: NOW + 900,
    });
    assert.match(String(jti), /^[0-9a-f-]{36}$/);
    assert.equal(expiresInSeconds, 900);
  });

  it('is accepted by the workers, and by others who know the key', async () => {
    const { tokens } = issuing();
    const { token } = await tokens.issueAccessToken(SUBJECT);
    const keys = indexKeys(keyringOf());
    assert.equal(verifyToken(token, keys, 30, WALL_START_MS, isSigned).outcome, 'valid');
    const options = { issuer: 'signalbox', audience: 'signalbox', typ: 'at+jwt' };
    await jwtVerify(token, KEYS.EdDSA.publicKey, { ...options, currentDate: new Date(WALL_START_MS) });
  });

  it('is never the same twice', async () => {
    const { tokens } = issuing();
    const both = await Promise.all([tokens.issueAccessToken(SUBJECT), tokens.issueAccessToken(SUBJECT)]);
    assert.notEqual(both[0].token, both[1].token);
  });

  it('is accepted no longer than was said before it was issued', async () => {
    const { clock, tokens } = issuing();
    const acceptedUntilMs = tokens.acceptedUntilMs();
    assert.equal(acceptedUntilMs, WALL_START_MS + (900 + 30) * 1000);
    // The database took its time.
    clock.advance(5_000);
    const { token, expiresInSeconds } = await tokens.issueAccessToken({ ...SUBJECT, acceptedUntilMs });
    assert.equal(decodeJwt(token).exp, NOW + 900);
    assert.equal(expiresInSeconds, 895);
    const late = await tokens.issueAccessToken({ ...SUBJECT, acceptedUntilMs: WALL_START_MS });
    assert.equal(late.expiresInSeconds, 0);
  });
});

describe('HS256', () => {
  const secret = createSecretKey(randomBytes(32));

  it('[34] signs and verifies with the secret, which nobody is told', async () => {
    const keys = sharedSecret(secret);
    const { token } = await issuing(keys).tokens.issueAccessToken(SUBJECT);
    assert.equal(decodeProtectedHeader(token).alg, 'HS256');
    const own = { issuer: 'signalbox', audience: 'signalbox', isOwn: true, keys: await keys.read() };
    const index = indexKeys(keyringOf([own]));
    assert.equal(verifyToken(token, index, 30, WALL_START_MS, isSigned).outcome, 'valid');
    assert.deepEqual(keys.published(), []);
    const shown = JSON.stringify([keys.list(), await keys.read(), decodeProtectedHeader(token)]);
    assert.ok(!shown.includes(secret.export().toString('base64')));
    assert.ok(!shown.includes(secret.export().toString('hex')));
  });

  it('has another kid with another secret, and the same in all instances', () => {
    const kidOf = (key: typeof secret) => sharedSecret(key).signer().kid;
    assert.equal(kidOf(secret), kidOf(createSecretKey(secret.export())));
    assert.notEqual(kidOf(secret), kidOf(createSecretKey(randomBytes(32))));
  });

  it('is not rotated by a command, which says what to do', async () => {
    await assert.rejects(sharedSecret(secret).rotate(), {
      code: 'rotation_impossible',
      message: /JWT_SECRET/,
    });
  });
});
