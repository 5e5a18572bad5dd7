import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type AccountStore, type NewSession, SESSIONS_PER_USER_MAX } from '#accounts/store/contract.ts';
import { newUuid } from '#accounts/uuid.ts';
import {
  ACCESS_MS,
  ALL,
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

/** Enough for two things that begin at once to meet in every order. */
const RACES = 25;

export function describeSessions(openStore: OpenStore): void {
  describe('sessions', () => {
    let store: AccountStore;
    before(async () => {
      store = await openStore();
    });
    after(() => store[Symbol.asyncDispose]());

    it('begin with a token by which they are found', async () => {
      const { id: sessionId, userId, token } = await addSession(store, await addUser(store));
      const found = await store.sessions.findByToken(token.hash, NOW);
      assert.deepEqual(found, { sessionId, userId, isGood: true });
      assert.equal(await store.sessions.findByToken('never issued', NOW), null);
    });

    it('are found by a token that is good no more, which is said', async () => {
      const user = await addUser(store);
      const ways: ((session: NewSession) => Promise<unknown>)[] = [
        ({ token }) => renew(store, token.hash),
        ({ id }) => store.sessions.revoke(id, 'logout', NOW),
        () => store.users.disable(user.id, NOW),
      ];
      for (const end of ways) {
        const session = await addSession(store, user);
        await end(session);
        const { id: sessionId, userId, token } = session;
        const found = await store.sessions.findByToken(token.hash, NOW);
        assert.deepEqual(found, { sessionId, userId, isGood: false });
      }
      const { token } = await addSession(store, await addUser(store));
      assert.equal((await store.sessions.findByToken(token.hash, NOW + IDLE_MS - 1))?.isGood, true);
      assert.equal((await store.sessions.findByToken(token.hash, NOW + IDLE_MS))?.isGood, false);
    });

    it('do not begin for a user who is gone or has changed the password meanwhile', async () => {
      const user = await addUser(store);
      await store.users.changePassword({ id: user.id, oldHash: null, newHash: 'new hash', nowMs: NOW + 1 });
      assert.equal(await store.sessions.create(newSession(user)), null);
      assert.equal(await store.sessions.create(newSession({ ...user, id: newUuid(NOW) })), null);
    });

    it('of one user are so many at most: the oldest makes room', async () => {
      const [user, other] = [await addUser(store), await addUser(store)];
      const untouched = await addSession(store, other, NOW - 1);
      const oldest = await addSession(store, user);
      for (let n = 1; n < SESSIONS_PER_USER_MAX; n++) await addSession(store, user, NOW + n);
      const nowMs = NOW + SESSIONS_PER_USER_MAX;
      const surplus = await store.sessions.create(newSession(user, nowMs));
      assert.deepEqual(surplus, [{ sessionId: oldest.id, untilMs: NOW + ACCESS_MS }]);
      const before = { after: justBefore(oldest.id), limit: 1 };
      const [noted] = await store.sessions.listRevocations(nowMs, 0, before);
      assert.deepEqual(noted, { ...surplus?.[0], notedAtMs: nowMs });
      assert.equal(await outcomeOf(store, oldest.token.hash, nowMs), 'revoked');
      assert.equal(await outcomeOf(store, untouched.token.hash, nowMs), 'rotated');
    });

    it('are revoked once, however often that is asked for, and announced each time', async () => {
      const session = await addSession(store, await addUser(store));
      const revocation = { sessionId: session.id, untilMs: NOW + ACCESS_MS };
      assert.deepEqual(await store.sessions.revoke(session.id, 'logout', NOW), revocation);
      assert.deepEqual(await store.sessions.revoke(session.id, 'operator', NOW), revocation);

      const rotation = await store.sessions.rotate(present(session.token.hash));
      assert.equal(rotation.outcome, 'revoked');
      assert.equal('reason' in rotation && rotation.reason, 'logout');
    });

    it('have nobody to be announced to when no access token of theirs is left', async () => {
      const session = await addSession(store, await addUser(store));
      assert.equal(await store.sessions.revoke(session.id, 'logout', NOW + ACCESS_MS), null);
      assert.equal(await outcomeOf(store, session.token.hash), 'revoked');
      assert.equal(await store.sessions.revoke(newUuid(NOW), 'logout', NOW), null);
    });

    it('are announced until the end of the access token that lives longest', async () => {
      const session = await addSession(store, await addUser(store));
      await renew(store, session.token.hash, NOW + 60_000);
      const revocation = await store.sessions.revoke(session.id, 'logout', NOW + 60_001);
      assert.equal(revocation?.untilMs, NOW + 60_000 + ACCESS_MS);
    });

    it('[29] are revoked all together, for one user', async () => {
      const user = await addUser(store);
      const sessions = [await addSession(store, user), await addSession(store, user)];
      const other = await addSession(store, await addUser(store));
      const revocations = await store.sessions.revokeAll(user.id, 'logout_all', NOW);
      assert.deepEqual(
        revocations.map(({ sessionId }) => sessionId).toSorted(),
        sessions.map(({ id }) => id).toSorted(),
      );
      assert.equal(await outcomeOf(store, other.token.hash), 'rotated');
    });

    it('[31] tell an instance that joins late what is revoked, page by page, until it does not matter', async () => {
      const own = await openStore();
      const user = await addUser(own);
      for (let n = 0; n < 5; n++) await addSession(own, user, NOW + n);
      const revoked = await own.sessions.revokeAll(user.id, 'logout_all', NOW + 5);

      const first = await own.sessions.listRevocations(NOW + 5, 0, { after: null, limit: 3 });
      const after = first.at(-1)?.sessionId ?? null;
      const second = await own.sessions.listRevocations(NOW + 5, 0, { after, limit: 3 });
      assert.deepEqual([first.length, second.length], [3, 2]);
      const noted = revoked.map((one) => ({ ...one, notedAtMs: NOW + 5 }));
      assert.deepEqual(new Set([...first, ...second]), new Set(noted));
      assert.equal((await own.sessions.listRevocations(NOW + ACCESS_MS, 0, ALL)).length, 4);
      assert.deepEqual(await own.sessions.listRevocations(NOW + 4 + ACCESS_MS, 0, ALL), []);
      await own[Symbol.asyncDispose]();
    });

    it('[31] tell an instance that was there before what is new', async () => {
      const own = await openStore();
      const user = await addUser(own);
      const [old, recent] = [await addSession(own, user), await addSession(own, user)];
      await own.sessions.revoke(old.id, 'logout', NOW + 1);
      await own.sessions.revoke(recent.id, 'logout', NOW + 2);
      const since = async (sinceMs: number) => {
        const noted = await own.sessions.listRevocations(NOW, sinceMs, ALL);
        return new Set(noted.map(({ sessionId }) => sessionId));
      };
      assert.deepEqual(await since(NOW + 1), new Set([old.id, recent.id]));
      assert.deepEqual(await since(NOW + 2), new Set([recent.id]));
      // Announced anew, since it may be that nobody was told, it is new.
      await own.sessions.revoke(old.id, 'logout', NOW + 3);
      assert.deepEqual(await since(NOW + 3), new Set([old.id]));
      await own[Symbol.asyncDispose]();
    });

    it('are announced for as long as a token renewed at the same instant lives', async () => {
      for (let race = 0; race < RACES; race++) {
        const session = await addSession(store, await addUser(store));
        const [rotation, revocation] = await Promise.all([
          store.sessions.rotate(present(session.token.hash, NOW + 60_000)),
          store.sessions.revoke(session.id, 'logout', NOW + 60_000),
        ]);
        const [recorded] = await store.sessions.listRevocations(NOW, 0, {
          after: justBefore(session.id),
          limit: 1,
        });
        if (rotation.outcome === 'rotated') assert.equal(revocation?.untilMs, NOW + 60_000 + ACCESS_MS);
        assert.deepEqual(recorded, { ...revocation, notedAtMs: NOW + 60_000 });
      }
    });

    it('that begin at the instant at which their user is disabled end with the others', async () => {
      for (let race = 0; race < RACES; race++) {
        const user = await addUser(store);
        const session = newSession(user);
        const [surplus, revocations] = await Promise.all([
          store.sessions.create(session),
          race % 2 === 0 ? store.users.disable(user.id, NOW) : store.users.delete(user.id, NOW),
        ]);
        const revoked = revocations?.map(({ sessionId }) => sessionId);
        assert.deepEqual(revoked, surplus === null ? [] : [session.id]);
      }
    });

    it('of one user can be revoked from everywhere at once', async () => {
      const user = await addUser(store);
      const sessions = await Promise.all(Array.from({ length: 20 }, () => addSession(store, user)));
      await Promise.all([
        ...sessions.map(({ id }) => store.sessions.revoke(id, 'logout', NOW)),
        ...sessions.map(({ token }) => store.sessions.rotate(present(token.hash))),
        store.sessions.revokeAll(user.id, 'logout_all', NOW),
        store.users.disable(user.id, NOW),
        store.users.changePassword({ id: user.id, oldHash: null, newHash: 'new hash', nowMs: NOW }),
        store.cleanUp(NOW),
      ]);
      for (const { token } of sessions) assert.equal(await outcomeOf(store, token.hash), 'disabled');
    });
  });
}

/** A text that sorts just before an id. */
function justBefore(id: string): string {
  return id.slice(0, -1);
}
