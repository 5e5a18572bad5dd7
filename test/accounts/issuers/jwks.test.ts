import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { exportJWK } from 'jose';
import { readJwks } from '#accounts/issuers/jwks.ts';
import { KEYS } from '#test/support/tokens.ts';
import { publicJwk } from '../support.ts';

const read = (...keys: unknown[]) => readJwks(JSON.stringify({ keys }));
const namesOf = (...keys: unknown[]) => read(...keys).map(({ kid, alg }) => `${kid} ${alg}`);

describe('a key set', () => {
  it('[12] gives each key the algorithm that its own parts make', async () => {
    const keys = await Promise.all(
      (['EdDSA', 'ES256', 'RS256'] as const).map((alg) => publicJwk(alg, `k${alg}`)),
    );
    assert.deepEqual(namesOf(...keys), ['kEdDSA EdDSA', 'kES256 ES256', 'kRS256 RS256']);
    const said = keys.map((jwk, index) => ({ ...jwk, alg: ['EdDSA', 'ES256', 'RS256'][index] }));
    assert.equal(read(...said).length, 3);
    assert.ok(read(...keys)[0]?.key.equals(KEYS.EdDSA.publicKey));
  });

  it('[12] has no key that says it is used otherwise', async () => {
    const rsa = await publicJwk('RS256');
    const ec = await publicJwk('ES256');
    const ed = await publicJwk('EdDSA');
    for (const alg of ['PS256', 'RS512', 'RSA-OAEP', 'HS256', 'none', 'ES256', 7]) {
      assert.deepEqual(read({ ...rsa, alg }), [], String(alg));
    }
    assert.deepEqual(read({ ...ec, alg: 'RS256' }, { ...ed, alg: 'ES256' }), []);
    assert.deepEqual(read({ ...rsa, use: 'enc' }), []);
    assert.deepEqual(read({ ...rsa, key_ops: ['encrypt'] }), []);
    assert.equal(read({ ...rsa, use: undefined, key_ops: ['verify'] }).length, 1);
  });

  it('has no secret, private, weak or broken key', async () => {
    const rsa = await publicJwk('RS256');
    const ec = await publicJwk('ES256');
    const ed = await publicJwk('EdDSA');
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey;
    const keys = [
      { kty: 'oct', k: 'c2VjcmV0', kid: 'a' },
      { ...(await exportJWK(KEYS.EdDSA.privateKey)), kid: 'b' },
      { ...(await exportJWK(KEYS.RS256.privateKey)), kid: 'c' },
      { ...(await exportJWK(weak)), kid: 'd' },
      { ...(other.export({ format: 'jwk' }) as object), kid: 'e' },
      { ...ec, x: ec.y, kid: 'f' },
      { ...ec, y: undefined, kid: 'g' },
      { ...ed, x: 'AAAA', kid: 'h' },
      { ...ed, crv: 'X25519', kid: 'i' },
      { ...rsa, n: '', kid: 'j' },
      { ...rsa, e: undefined, kid: 'k' },
      { kid: 'l' },
      null,
      7,
      'key',
      [],
    ];
    assert.deepEqual(namesOf(...keys, rsa), ['RS256 RS256']);
  });

  it('[13] has keys with names only, each once', async () => {
    const ed = await publicJwk('EdDSA');
    for (const kid of [undefined, '', 7, 'k'.repeat(257)]) assert.deepEqual(read({ ...ed, kid }), []);
    const twin = { ...(await publicJwk('ES256')), kid: 'EdDSA' };
    assert.deepEqual(namesOf(ed, twin), ['EdDSA EdDSA']);
  });

  it('is a JSON object with keys, be they none', () => {
    assert.deepEqual(read(), []);
    for (const text of ['', 'keys', '[]', '{}', '{"keys":{}}', 'null', '<html>', '{"keys":[']) {
      assert.throws(() => readJwks(text), { code: 'jwks_invalid' });
    }
  });
});
