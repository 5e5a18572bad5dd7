import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { AccountStore } from '#accounts/store/contract.ts';
import {
  ABSOLUTE_MS,
  ACCESS_MS,
  addSession,
  addUser,
  GRACE_MS,
  IDLE_MS,
  NOW,
  type OpenStore,
  outcomeOf,
  present,
  renew,
} from '../fixture.ts';
import { FamilyModel, type Step } from './family-model.ts';

export function describeRotation(openStore: OpenStore): void {
  describe('rotation', () => {
    let store: AccountStore;
    before(async () => {
      store = await openStore();
    });
    after(() => store[Symbol.asyncDispose]());

    it('answers with the session and its user', async () => {
      const { passwordHash: _, ...user } = await addUser(store);
      const session = await addSession(store, { ...user, passwordHash: 'hash' });
      const rotation = await store.sessions.rotate(present(session.token.hash));
      const { id, userId, createdAtMs, expiresAtMs } = session;
      assert.deepEqual(rotation, {
        outcome: 'rotated',
        session: { id, userId, createdAtMs, expiresAtMs },
        user,
      });
    });

    it('knows nothing of a token that was never issued', async () => {
      assert.equal(await outcomeOf(store, 'never issued'), 'unknown');
    });

    it('[26] lets one of any number of parallel uses go on, and tells the others its successor', async () => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 2, max: 12 }), async (uses) => {
          const session = await addSession(store, await addUser(store));
          const requests = Array.from({ length: uses }, () => present(session.token.hash));
          const rotations = await Promise.all(requests.map((request) => store.sessions.rotate(request)));

          const winners = requests.filter((_, index) => rotations[index]?.outcome === 'rotated');
          const [winner] = winners;
          assert.equal(winners.length, 1);
          const repeated = rotations.filter((rotation) => rotation.outcome === 'repeated');
          assert.equal(repeated.length, uses - 1);
          for (const rotation of repeated) {
            assert.equal(rotation.sealed, winner?.successor.sealed);
            assert.equal(rotation.accessExpiresAtMs, NOW + ACCESS_MS);
          }
          for (const { successor } of requests) {
            const isLive = successor.hash === winner?.successor.hash;
            assert.equal(await outcomeOf(store, successor.hash), isLive ? 'rotated' : 'unknown');
          }
        }),
        { numRuns: 12 },
      );
    });

    it('[24] repeats a lost answer within the grace, not after it', async () => {
      const session = await addSession(store, await addUser(store));
      await renew(store, session.token.hash);
      assert.equal(await outcomeOf(store, session.token.hash, NOW + GRACE_MS - 1), 'repeated');
      assert.equal(await outcomeOf(store, session.token.hash, NOW + GRACE_MS), 'reused');
    });

    it('[25] takes an answer for received when its token has been used', async () => {
      const session = await addSession(store, await addUser(store));
      const second = await renew(store, session.token.hash);
      await renew(store, second);
      assert.equal(await outcomeOf(store, session.token.hash), 'reused');
      assert.equal(await outcomeOf(store, second), 'repeated');
    });

    it('[24] without a grace takes every second use for theft', async () => {
      const session = await addSession(store, await addUser(store));
      const request = present(session.token.hash);
      await store.sessions.rotate({ ...request, successor: { ...request.successor, graceUntilMs: NOW } });
      assert.equal(await outcomeOf(store, session.token.hash), 'reused');
    });

    it('[27] ends with the idle lifetime of a token', async () => {
      const session = await addSession(store, await addUser(store));
      assert.equal(await outcomeOf(store, session.token.hash, NOW + IDLE_MS), 'expired');
      assert.equal(await outcomeOf(store, session.token.hash, NOW + IDLE_MS - 1), 'rotated');
    });

    it('[27] ends with the absolute lifetime of the session, however often it was renewed', async () => {
      const session = await addSession(store, await addUser(store));
      let token = session.token.hash;
      const endMs = NOW + ABSOLUTE_MS;
      for (let nowMs = NOW; nowMs < endMs; nowMs += IDLE_MS - 1) token = await renew(store, token, nowMs);
      token = await renew(store, token, endMs - 1);
      assert.equal(await outcomeOf(store, token, endMs), 'expired');
      assert.equal(await outcomeOf(store, session.token.hash, endMs), 'expired');
    });

    it('does as a simple model says, whatever is presented when', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
          const session = await addSession(store, await addUser(store));
          const model = new FamilyModel(session);
          for (const each of steps) await model.step(store, each);
        }),
        { numRuns: 60 },
      );
    });
  });
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('present'), age: fc.nat({ max: 5 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      ms: fc.constantFrom(1, GRACE_MS - 1, GRACE_MS, IDLE_MS - GRACE_MS, IDLE_MS, ABSOLUTE_MS / 2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('revoke', 'clean up') }) },
);
