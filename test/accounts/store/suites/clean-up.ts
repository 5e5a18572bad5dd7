import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { type AccountStore, PAGE_ROWS_MAX } from '#accounts/store/contract.ts';
import {
  ABSOLUTE_MS,
  ACCESS_MS,
  addSession,
  addUser,
  IDLE_MS,
  NOW,
  newSession,
  type OpenStore,
  outcomeOf,
  present,
  renew,
} from '../fixture.ts';

const NOTHING = { tokens: 0, sessions: 0, revocations: 0, throttles: 0, keys: 0, isMore: false };

export function describeCleanUp(openStore: OpenStore): void {
  describe('the clean-up', () => {
    const stores: AccountStore[] = [];
    let store: AccountStore;
    beforeEach(async () => {
      store = await openStore();
      stores.push(store);
    });
    after(() => Promise.all(stores.map((each) => each[Symbol.asyncDispose]())));

    it('leaves alone what has not expired', async () => {
      const session = await addSession(store, await addUser(store));
      await renew(store, session.token.hash);
      await store.sessions.revoke(session.id, 'logout', NOW);
      assert.deepEqual(await store.cleanUp(NOW + ACCESS_MS - 1), NOTHING);
      assert.deepEqual(await store.cleanUp(NOW + ACCESS_MS), { ...NOTHING, revocations: 1 });
      assert.equal(await outcomeOf(store, session.token.hash), 'revoked');
    });

    it('deletes tokens, then the session that they were of, and never the user', async () => {
      const user = await addUser(store);
      const session = await addSession(store, user);
      await renew(store, session.token.hash);
      assert.deepEqual(await store.cleanUp(NOW + IDLE_MS), { ...NOTHING, tokens: 2 });
      assert.deepEqual(await store.cleanUp(NOW + ABSOLUTE_MS), { ...NOTHING, sessions: 1 });
      assert.deepEqual(await store.users.findById(user.id), user);
    });

    it('deletes a bounded number of rows at a time, and says that there are more', async () => {
      const session = await addSession(store, await addUser(store));
      let token = session.token.hash;
      for (let n = 0; n < PAGE_ROWS_MAX; n++) token = await renew(store, token);

      const endMs = NOW + ABSOLUTE_MS;
      const first = await store.cleanUp(endMs);
      assert.deepEqual(first, { ...NOTHING, tokens: PAGE_ROWS_MAX, isMore: true });
      assert.deepEqual(await store.cleanUp(endMs), { ...NOTHING, tokens: 1, sessions: 1 });
      assert.deepEqual(await store.cleanUp(endMs), NOTHING);
    });

    it('can run in several instances at once', async () => {
      const user = await addUser(store);
      for (let n = 0; n < 30; n++) await addSession(store, user);
      const cleaned = await Promise.all(Array.from({ length: 5 }, () => store.cleanUp(NOW + ABSOLUTE_MS)));
      assert.equal(
        cleaned.reduce((sum, { tokens }) => sum + tokens, 0),
        30,
      );
    });

    // A used token is known by its successor; the idle lifetime may have been made shorter in between.
    it('does not make a used token good again by deleting a successor that expired first', async () => {
      const session = await addSession(store, await addUser(store));
      const request = present(session.token.hash);
      const shortLived = { ...request.successor, expiresAtMs: NOW + 1, accessExpiresAtMs: NOW + 1 };
      await store.sessions.rotate({ ...request, successor: shortLived });
      await store.cleanUp(NOW + ACCESS_MS);
      assert.equal(await outcomeOf(store, session.token.hash, NOW + ACCESS_MS), 'reused');
    });

    it('keeps what says how long the access tokens of a session live', async () => {
      const session = newSession(await addUser(store));
      const token = { ...session.token, expiresAtMs: NOW + 1 };
      await store.sessions.create({ ...session, expiresAtMs: NOW + 1, token });
      assert.deepEqual(await store.cleanUp(NOW + 1), NOTHING);
      const revocation = await store.sessions.revoke(session.id, 'logout', NOW + 1);
      assert.equal(revocation?.untilMs, NOW + ACCESS_MS);
    });

    it('forgets how to repeat an answer once the grace is over', async () => {
      const session = await addSession(store, await addUser(store));
      const request = present(session.token.hash);
      await store.sessions.rotate(request);
      await store.cleanUp(request.successor.graceUntilMs - 1);
      assert.equal(await outcomeOf(store, session.token.hash), 'repeated');
      await store.cleanUp(request.successor.graceUntilMs);
      assert.equal(await outcomeOf(store, session.token.hash), 'reused');
    });
  });
}
