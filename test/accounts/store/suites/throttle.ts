import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { AccountStore } from '#accounts/store/contract.ts';
import { NOW, type OpenStore } from '../fixture.ts';

const once = { failures: 1, blockedUntilMs: NOW, expiresAtMs: NOW + 1000 };
const twice = { failures: 2, blockedUntilMs: NOW + 10, expiresAtMs: NOW + 1000 };

export function describeThrottle(openStore: OpenStore): void {
  describe('the throttle', () => {
    let store: AccountStore;
    before(async () => {
      store = await openStore();
    });
    after(() => store[Symbol.asyncDispose]());

    it('keeps what was recorded until it is reset', async () => {
      assert.equal(await store.throttle.read('account a'), null);
      assert.equal(await store.throttle.record('account a', null, once), true);
      assert.equal(await store.throttle.record('account a', once, twice), true);
      assert.deepEqual(await store.throttle.read('account a'), twice);
      assert.equal(await store.throttle.read('account b'), null);

      await store.throttle.reset('account a');
      assert.equal(await store.throttle.read('account a'), null);
    });

    it('does not take a record that rests on what is no longer so', async () => {
      await store.throttle.record('account c', null, once);
      assert.equal(await store.throttle.record('account c', null, once), false);
      assert.equal(await store.throttle.record('account c', twice, once), false);
      assert.deepEqual(await store.throttle.read('account c'), once);
    });

    it('counts every one of many failures at once', async () => {
      async function fail(): Promise<void> {
        for (;;) {
          const seen = await store.throttle.read('account d');
          const next = { ...once, failures: (seen?.failures ?? 0) + 1 };
          if (await store.throttle.record('account d', seen, next)) return;
        }
      }
      await Promise.all(Array.from({ length: 10 }, fail));
      assert.equal((await store.throttle.read('account d'))?.failures, 10);
    });

    it('is forgotten by the clean-up, not before it expires', async () => {
      await store.throttle.record('account e', null, { ...once, expiresAtMs: NOW + 5000 });
      await store.cleanUp(NOW + 4999);
      assert.notEqual(await store.throttle.read('account e'), null);
      assert.equal((await store.cleanUp(NOW + 5000)).throttles, 1);
      assert.equal(await store.throttle.read('account e'), null);
    });
  });
}
