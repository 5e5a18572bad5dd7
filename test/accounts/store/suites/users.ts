import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { AccountStore } from '#accounts/store/contract.ts';
import { newUuid } from '#accounts/uuid.ts';
import {
  ACCESS_MS,
  ALL,
  addSession,
  addUser,
  NOW,
  newSession,
  type OpenStore,
  outcomeOf,
  unique,
} from '../fixture.ts';

export function describeUsers(openStore: OpenStore): void {
  describe('users', () => {
    let store: AccountStore;
    before(async () => {
      store = await openStore();
    });
    after(() => store[Symbol.asyncDispose]());

    it('finds by email and by id what was created, and nothing else', async () => {
      const user = await addUser(store);
      assert.deepEqual(await store.users.findByEmail(user.email), user);
      assert.deepEqual(await store.users.findById(user.id), user);
      assert.equal(await store.users.findByEmail('nobody@example.com'), null);
      assert.equal(await store.users.findById(newUuid(NOW)), null);
    });

    it('[40] keeps any text as it is, whatever it would mean in SQL', async () => {
      const text = fc.string({ unit: 'grapheme', maxLength: 60 }).map((chars) => chars.replaceAll('\0', ''));
      await fc.assert(
        fc.asyncProperty(text, text, async (name, passwordHash) => {
          const id = newUuid(NOW);
          const email = unique(name);
          await store.users.create({ id, email, passwordHash, createdAtMs: NOW });
          assert.equal((await store.users.findByEmail(email))?.id, id);
          assert.equal((await store.users.findById(id))?.passwordHash, passwordHash);
        }),
        { numRuns: 30, examples: [["'; DROP TABLE users; --", '$1 ?1 " \\ %s']] },
      );
      assert.notDeepEqual(await store.users.list(ALL), []);
    });

    it('[9] creates one user when an email is registered many times at once', async () => {
      const email = `${unique('wanted')}@example.com`;
      const ids = Array.from({ length: 12 }, () => newUuid(NOW));
      const outcomes = await Promise.all(
        ids.map((id) => store.users.create({ id, email, passwordHash: 'hash', createdAtMs: NOW })),
      );
      const created = ids.filter((_, index) => outcomes[index] === 'created');
      assert.equal(created.length, 1);
      assert.equal(outcomes.filter((outcome) => outcome === 'email_taken').length, 11);
      assert.equal((await store.users.findByEmail(email))?.id, created[0]);
    });

    it('lists users page by page, in the order of their creation', async () => {
      const own = await openStore();
      const ids: string[] = [];
      for (let n = 0; n < 5; n++) ids.push((await addUser(own, NOW + n)).id);

      const first = await own.users.list({ after: null, limit: 2 });
      const second = await own.users.list({ after: first.at(-1)?.id ?? null, limit: 2 });
      const third = await own.users.list({ after: second.at(-1)?.id ?? null, limit: 2 });
      assert.deepEqual(
        [first, second, third].map((page) => page.map((user) => user.id)),
        [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)],
      );
      assert.equal('passwordHash' in (first[0] ?? {}), false);
      await own[Symbol.asyncDispose]();
    });

    it('rehashes a password only if it is still the one that was checked', async () => {
      const user = await addUser(store);
      const session = await addSession(store, user);
      assert.equal(await store.users.rehash(user.id, 'another hash', 'new hash'), false);
      assert.equal(await store.users.rehash(user.id, 'hash', 'new hash'), true);

      const rehashed = { ...user, passwordHash: 'new hash' };
      assert.deepEqual(await store.users.findById(user.id), rehashed);
      assert.equal(await outcomeOf(store, session.token.hash), 'rotated');
    });

    describe('[30] ends every session, and says which', () => {
      const ways = {
        'when the password changes': async (id: string) => {
          const change = { id, oldHash: 'hash', newHash: 'new hash', nowMs: NOW + 1 };
          return (await store.users.changePassword(change))?.revocations ?? null;
        },
        'when the user is disabled': (id: string) => store.users.disable(id, NOW + 1),
        'when the user is deleted': (id: string) => store.users.delete(id, NOW + 1),
      };
      for (const [name, end] of Object.entries(ways)) {
        it(name, async () => {
          const [user, other] = [await addUser(store), await addUser(store)];
          const sessions = [await addSession(store, user), await addSession(store, user)];
          const untouched = await addSession(store, other);

          const revocations = await end(user.id);
          assert.deepEqual(
            revocations?.toSorted((a, b) => a.sessionId.localeCompare(b.sessionId)),
            sessions
              .map(({ id }) => ({ sessionId: id, untilMs: NOW + ACCESS_MS }))
              .toSorted((a, b) => a.sessionId.localeCompare(b.sessionId)),
          );
          for (const { token } of sessions) {
            assert.notEqual(await outcomeOf(store, token.hash, NOW + 1), 'rotated');
          }
          assert.equal(await outcomeOf(store, untouched.token.hash, NOW + 1), 'rotated');
        });
      }

      it('or that there is no such user', async () => {
        for (const end of Object.values(ways)) assert.equal(await end(newUuid(NOW)), null);
        assert.equal(await store.users.enable(newUuid(NOW)), false);
      });
    });

    it('[30] changes a password only if it is still the one that was checked', async () => {
      const user = await addUser(store);
      const session = await addSession(store, user);
      const change = { id: user.id, oldHash: 'another hash', newHash: 'new hash', nowMs: NOW + 1 };
      assert.equal(await store.users.changePassword(change), null);
      assert.deepEqual(await store.users.findById(user.id), user);
      assert.equal(await outcomeOf(store, session.token.hash), 'rotated');

      const changes = ['one', 'two', 'three'].map((newHash) =>
        store.users.changePassword({ ...change, oldHash: 'hash', newHash }),
      );
      const changed = (await Promise.all(changes)).filter((one) => one !== null);
      assert.equal(changed.length, 1);
    });

    it('[30] changes a password whatever it is, and notes a later time than before', async () => {
      const user = await addUser(store);
      const change = { id: user.id, oldHash: null, newHash: 'new hash', nowMs: NOW - 5 };
      const { passwordHash, ...known } = user;
      const changed = await store.users.changePassword(change);
      assert.deepEqual(changed, { user: { ...known, passwordChangedAtMs: NOW + 1 }, revocations: [] });
      assert.equal(passwordHash, 'hash');
      assert.equal(await store.sessions.create(newSession(user)), null);
    });

    it('lets nobody in while disabled, and enabled again only with a new session', async () => {
      const user = await addUser(store);
      const session = await addSession(store, user);
      await store.users.disable(user.id, NOW + 1);
      await store.users.disable(user.id, NOW + 2);
      assert.equal((await store.users.findById(user.id))?.disabledAtMs, NOW + 1);
      assert.equal(await outcomeOf(store, session.token.hash), 'disabled');
      await assert.rejects(addSession(store, user));

      assert.equal(await store.users.enable(user.id), true);
      assert.equal(await outcomeOf(store, session.token.hash), 'revoked');
      await addSession(store, user);
    });

    it('deletes everything of a user but the revocations that still matter', async () => {
      const user = await addUser(store);
      const session = await addSession(store, user);
      await store.users.delete(user.id, NOW);

      assert.equal(await store.users.findById(user.id), null);
      assert.equal(await store.sessions.findByToken(session.token.hash, NOW), null);
      assert.equal(await outcomeOf(store, session.token.hash), 'unknown');
      const revocations = await store.sessions.listRevocations(NOW, 0, ALL);
      assert.equal(revocations.filter(({ sessionId }) => sessionId === session.id).length, 1);
      const again = { id: newUuid(NOW), email: user.email, passwordHash: 'hash', createdAtMs: NOW };
      assert.equal(await store.users.create(again), 'created');
    });
  });
}
