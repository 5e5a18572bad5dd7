import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { JWKS_MAX_AGE_SECONDS, PUBLISHED_BEFORE_MS } from '#accounts/keys/schedule.ts';
import { StoredKeys, type StoredKeysOptions } from '#accounts/keys/stored-keys.ts';
import type { KeyStore } from '#accounts/store/contract.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { newKeyStore } from '../support.ts';

const ACCESS_SECONDS = 900;

/** Opens keys of one database, as instances do. */
async function database(t: TestContext) {
  const clock = new VirtualClock();
  const store = await newKeyStore(t, clock);
  const instance = (changes: Partial<StoredKeysOptions> = {}) =>
    new StoredKeys({ store, secret: null, accessTokenSeconds: ACCESS_SECONDS, clock, ...changes });
  return { clock, store, instance };
}

const statesOf = (keys: StoredKeys) => keys.list().map(({ state }) => state);

describe('the keys in the database', () => {
  it('[32] begin with an Ed25519 key that the program makes', async (t) => {
    const { store, instance } = await database(t);
    const keys = instance();
    const [key] = await keys.read();
    assert.equal(key?.alg, 'EdDSA');
    assert.equal(key?.key.asymmetricKeyType, 'ed25519');
    assert.equal(keys.signer().kid, key?.kid);
    assert.equal((await store.list()).length, 1);
  });

  it('are the same for all instances, however many start at once', async (t) => {
    const { store, instance } = await database(t);
    const all = Array.from({ length: 10 }, () => instance());
    await Promise.all(all.map((keys) => keys.read()));
    assert.equal((await store.list()).length, 1);
    assert.equal(new Set(all.map((keys) => keys.signer().kid)).size, 1);
  });

  it('[32] are encrypted at rest when there is a secret, and nothing of them is in the document', async (t) => {
    const { store, instance } = await database(t);
    const secret = createSecretKey(randomBytes(32));
    const keys = instance({ secret });
    await keys.read();
    const { d = '' } = keys.signer().key.export({ format: 'jwk' });
    const [stored] = await store.list();
    assert.match(stored?.privatePart ?? '', /^aes-256-gcm:/);
    assert.ok(!JSON.stringify([stored, keys.published(), keys.list()]).includes(d));
    assert.deepEqual(
      keys.list().map(({ isEncrypted }) => isEncrypted),
      [true],
    );

    const another = instance({ secret });
    await another.read();
    assert.ok(another.signer().key.equals(keys.signer().key));
    const stranger = instance();
    await stranger.read();
    assert.throws(() => stranger.signer(), { code: 'signing_key_locked' });
  });

  it('[33] are published with their public parts only', async (t) => {
    const { instance } = await database(t);
    const keys = instance();
    await keys.read();
    const [jwk] = keys.published();
    assert.deepEqual(Object.keys(jwk ?? {}).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    assert.deepEqual([jwk?.alg, jwk?.crv, jwk?.use], ['EdDSA', 'Ed25519', 'sig']);
  });
});

describe('a rotation of the keys', () => {
  it('[33] publishes, then signs, then forgets, and each instance agrees', async (t) => {
    const { clock, instance } = await database(t);
    const [one, two] = [instance(), instance()];
    const read = () => Promise.all([one.read(), two.read()]);
    await read();
    const first = one.signer().kid;

    await one.rotate();
    const [, published] = await read();
    assert.equal(published.length, 2);
    assert.deepEqual(statesOf(two), ['signing', 'published']);
    assert.equal(two.signer().kid, first);

    clock.advance(PUBLISHED_BEFORE_MS);
    const second = one.signer().kid;
    assert.notEqual(second, first);
    assert.equal(two.signer().kid, second);
    assert.deepEqual(statesOf(one), ['retiring', 'signing']);

    // The last token of the old key was signed a moment ago.
    clock.advance((ACCESS_SECONDS + 60) * 1000);
    assert.equal((await two.read()).length, 2);
    clock.advance(5 * 60_000);
    assert.deepEqual(
      (await two.read()).map(({ kid }) => kid),
      [second],
    );
    assert.deepEqual(
      two.published().map(({ kid }) => kid),
      [second],
    );
  });

  it('[33] is over before the next one begins', async (t) => {
    const { clock, store, instance } = await database(t);
    const keys = instance();
    await keys.rotate();
    await assert.rejects(keys.rotate(), { code: 'rotation_under_way', message: /signs in 600 seconds/ });
    clock.advance(PUBLISHED_BEFORE_MS - 1);
    await assert.rejects(keys.rotate(), { code: 'rotation_under_way' });
    clock.advance(1);
    await keys.rotate();
    assert.equal((await store.list()).length, 3);
  });

  it('makes one key when several instances rotate at once', async (t) => {
    const { store, instance } = await database(t);
    const all = Array.from({ length: 5 }, () => instance());
    await Promise.all(all.map((keys) => keys.read()));
    const outcomes = await Promise.allSettled(all.map((keys) => keys.rotate()));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal((await store.list()).length, 2);
  });

  it('is completed by the others when the instance that began it dies in between', async (t) => {
    const { store, instance } = await database(t);
    const dying: KeyStore = { ...store, retire: () => Promise.reject(new Error('killed')) };
    const keys = instance();
    await keys.read();
    await assert.rejects(instance({ store: dying }).rotate(), /killed/);
    assert.equal((await store.list())[0]?.retiresAtMs, null);
    await keys.read();
    assert.notEqual((await store.list())[0]?.retiresAtMs, null);
  });

  it('[33] gives others more time than they may keep the document', () => {
    assert.ok(PUBLISHED_BEFORE_MS >= 2 * JWKS_MAX_AGE_SECONDS * 1000);
  });
});
