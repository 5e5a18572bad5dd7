import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RevokedSessions } from '#core/jwt/revoked-sessions.ts';
import { revoking } from '#test/support/tokens.ts';

const NOW_MS = 1_767_225_600_000;
const IAT = NOW_MS / 1000;

describe('revoked sessions', () => {
  it('[22] are known until their last token has expired, and are then forgotten', () => {
    const revocations = new RevokedSessions();
    revocations.add(revoking(['a', NOW_MS + 1000]), NOW_MS);
    assert.ok(revocations.has('a', IAT));
    assert.ok(!revocations.has('b', IAT));
    revocations.add(revoking(['b', NOW_MS + 9000]), NOW_MS + 1000);
    assert.ok(!revocations.has('a', IAT));
    assert.ok(revocations.has('b', IAT));
    assert.equal(revocations.size, 1);
  });

  it('[31] are told to who comes later, as long as they matter', () => {
    const revocations = new RevokedSessions();
    revocations.add(revoking(['a', NOW_MS + 1000], ['b', NOW_MS + 2000]), NOW_MS);
    const late = new RevokedSessions();
    late.add(revocations.live(NOW_MS + 1500), NOW_MS + 1500);
    assert.deepEqual(late.live(NOW_MS + 1500), revoking(['b', NOW_MS + 2000]));
  });

  it('end no earlier for being told of again', () => {
    const revocations = new RevokedSessions();
    revocations.add(revoking(['a', NOW_MS + 5000], ['a', NOW_MS + 1000]), NOW_MS);
    assert.deepEqual(revocations.live(NOW_MS), revoking(['a', NOW_MS + 5000]));
  });

  it('[22] are bounded, and one that has no room still counts: older tokens are then refused', () => {
    const revocations = new RevokedSessions(2);
    revocations.add(revoking(['a', NOW_MS + 9000], ['b', NOW_MS + 9000], ['c', NOW_MS + 9000]), NOW_MS);
    assert.equal(revocations.size, 2);
    assert.ok(revocations.has('a', IAT));
    assert.ok(revocations.has('anybody', IAT));
    assert.ok(!revocations.has('anybody', IAT + 1));
    assert.ok(revocations.has('c', IAT + 1));
  });

  it('are new once', () => {
    const revocations = new RevokedSessions();
    revocations.add(revoking(['a', NOW_MS + 1000]), NOW_MS);
    const { sessions } = revoking(['a', NOW_MS + 1000], ['b', NOW_MS + 1000], ['c', NOW_MS]);
    assert.deepEqual(revocations.newAmong(sessions, NOW_MS), revoking(['b', NOW_MS + 1000]).sessions);
  });

  it('[22] never let a token pass whose session is revoked, whatever came in between', () => {
    const session = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.integer({ min: 1, max: 20 }));
    fc.assert(
      fc.property(fc.array(session, { maxLength: 30 }), (told) => {
        const revocations = new RevokedSessions(3);
        const until = new Map<string, number>();
        for (const [second, [sid, life]] of told.entries()) {
          const nowMs = NOW_MS + second * 1000;
          const untilMs = nowMs + life * 1000;
          revocations.add(revoking([sid, untilMs]), nowMs);
          const late = new RevokedSessions(3);
          late.add(revocations.live(nowMs), nowMs);
          until.set(sid, Math.max(untilMs, until.get(sid) ?? 0));
          assert.ok(revocations.size <= 3);
          for (const [revoked, endMs] of until) {
            if (endMs <= nowMs) continue;
            // History: one that starts later was not told of those that there had been no room for.
            for (const set of [revocations, late])
              assert.ok(set.has(revoked, IAT), `${revoked} at ${second}`);
          }
        }
      }),
    );
  });
});
