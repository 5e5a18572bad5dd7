import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { AccountStore, SigningKey } from '#accounts/store/contract.ts';
import { NOW, type OpenStore } from '../fixture.ts';

function key(kid: string, replaces: string | null, activatesAtMs = NOW): SigningKey {
  return {
    kid,
    replaces,
    algorithm: 'EdDSA',
    publicJwk: '{"kty":"OKP"}',
    privatePart: 'sealed',
    createdAtMs: NOW,
    activatesAtMs,
    retiresAtMs: null,
  };
}

export function describeKeys(openStore: OpenStore): void {
  describe('signing keys', () => {
    let store: AccountStore;
    before(async () => {
      store = await openStore();
    });
    after(() => store[Symbol.asyncDispose]());

    it('begin with one key, however many instances start at once', async () => {
      assert.deepEqual(await store.keys.list(), []);
      const kids = Array.from({ length: 10 }, (_, index) => `first-${index}`);
      const added = await Promise.all(kids.map((kid) => store.keys.add(key(kid, null))));
      const first = kids.filter((_, index) => added[index]);
      assert.equal(first.length, 1);
      assert.deepEqual(await store.keys.list(), [key(first[0] ?? '', null)]);
    });

    it('are replaced once, and kept until the old one is retired', async () => {
      const [first] = await store.keys.list();
      assert.ok(first !== undefined);
      assert.equal(await store.keys.add(key('second', first.kid, NOW + 1)), true);
      assert.equal(await store.keys.add(key('another', first.kid, NOW + 1)), false);
      assert.equal(await store.keys.retire(first.kid, NOW + 100), true);
      assert.equal(await store.keys.retire('unknown', NOW + 100), false);

      const retired = { ...first, retiresAtMs: NOW + 100 };
      await store.cleanUp(NOW + 99);
      assert.deepEqual(await store.keys.list(), [retired, key('second', first.kid, NOW + 1)]);
      assert.equal((await store.cleanUp(NOW + 100)).keys, 1);
      assert.deepEqual(await store.keys.list(), [key('second', first.kid, NOW + 1)]);
    });
  });
}
