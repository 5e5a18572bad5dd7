import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import pg from 'pg';
import type { AccountStore, NewSession, UserWithPassword } from '#accounts/store/contract.ts';
import { openStore } from '#accounts/store/open.ts';
import { systemClock } from '#core/clock.ts';
import { TestPostgres } from '#test/support/postgres.ts';
import { until } from '#test/support/process.ts';
import { ACCESS_MS, addSession, addUser, NOW, present } from './fixture.ts';

const LATER = NOW + 60_000;

/** What happens in parallel only by luck is brought about here: another connection holds the door. */
describe('two instances on one Postgres', () => {
  let postgres: TestPostgres;
  let store: AccountStore;
  let other: pg.Client;
  let user: UserWithPassword;
  let session: NewSession;

  before(async () => {
    postgres = await TestPostgres.start();
  });
  after(() => postgres[Symbol.asyncDispose]());

  beforeEach(async () => {
    const url = await postgres.createDatabase();
    other = new pg.Client(url);
    await other.connect();
    await other.query(`ALTER DATABASE ${other.database} SET deadlock_timeout = '300ms'`);
    store = await openStore({ kind: 'postgres', url, connectionsMax: 4, connectionsMin: 0 }, systemClock);
    user = await addUser(store);
    session = await addSession(store, user);
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    await other.end();
  });

  const waiting = (count: number) =>
    until(`${count} statements that wait`, async () => {
      const { rows } = await other.query('SELECT DISTINCT pid FROM pg_locks WHERE NOT granted');
      return rows.length === count;
    });

  it('do not renew a token while its session is being revoked', async () => {
    await other.query('BEGIN');
    await other.query(`UPDATE sessions SET revoked_at = 1, revoked_reason = 'logout' WHERE id = $1`, [
      session.id,
    ]);
    const rotation = store.sessions.rotate(present(session.token.hash));
    await waiting(1);
    await other.query('COMMIT');
    assert.equal((await rotation).outcome, 'revoked');
    assert.equal((await other.query('SELECT id FROM refresh_tokens')).rows.length, 1);
  });

  it('do not miss a token that is being renewed while its session is revoked', async () => {
    await other.query('BEGIN');
    await other.query(
      `INSERT INTO refresh_tokens (id, session_id, token_hash, replaces, issued_at, expires_at, access_expires_at)
       VALUES ('other', $1, 'other', $2, 1, 1, 1)`,
      [session.id, session.token.hash],
    );
    const rotation = store.sessions.rotate(present(session.token.hash, LATER));
    await waiting(1);
    const revocation = store.sessions.revoke(session.id, 'logout', LATER);
    await waiting(2);
    await other.query('ROLLBACK');
    await rotation;
    assert.deepEqual(await revocation, { sessionId: session.id, untilMs: LATER + ACCESS_MS });
  });

  it('do not begin a session for a user who is being disabled', async () => {
    await other.query('BEGIN');
    await other.query('UPDATE users SET disabled_at = 1 WHERE id = $1', [user.id]);
    // Listened to from the start: it may fail before the commit is known to have ended.
    const refused = assert.rejects(addSession(store, user));
    await waiting(1);
    await other.query('COMMIT');
    await refused;
  });

  it('try again when the server ends one of them to resolve a deadlock', async () => {
    const second = await addSession(store, user);
    const revoke = (id: string) =>
      other.query(`UPDATE sessions SET revoked_at = 1, revoked_reason = 'reuse' WHERE id = $1`, [id]);
    await other.query('BEGIN');
    await revoke(second.id);
    const revocations = store.sessions.revokeAll(user.id, 'logout_all', NOW);
    await waiting(1);
    await revoke(session.id);
    await other.query('ROLLBACK');
    assert.equal((await revocations).length, 2);
  });
});
