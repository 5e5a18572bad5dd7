import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { StoreUnavailable } from '#accounts/store/errors.ts';
import { createStore, openStore } from '#accounts/store/open.ts';
import { PostgresDatabase } from '#accounts/store/postgres.ts';
import { systemClock } from '#core/clock.ts';
import { POSTGRES_PASSWORD, TestPostgres } from '#test/support/postgres.ts';
import { freePort, until } from '#test/support/process.ts';
import { addSession, addUser, outcomeOf, renew } from './fixture.ts';
import { describeStore } from './suites/all.ts';

describe('the store in Postgres', () => {
  let postgres: TestPostgres;
  before(async () => {
    postgres = await TestPostgres.start();
  });
  after(() => postgres[Symbol.asyncDispose]());

  const open = (url: string, connectionsMax = 10, connectionsMin = 0) =>
    openStore({ kind: 'postgres', url, connectionsMax, connectionsMin }, systemClock);

  describeStore(async () => open(await postgres.createDatabase()));

  it('survives a restart of the server, and says that it is unavailable in between', async () => {
    await using store = await open(await postgres.createDatabase());
    const user = await addUser(store);
    const session = await addSession(store, user);

    await postgres.stop();
    await assert.rejects(store.users.findByEmail(user.email), StoreUnavailable);
    await assert.rejects(outcomeOf(store, session.token.hash), StoreUnavailable);
    await assert.rejects(store.ping(), StoreUnavailable);

    await postgres.resume();
    assert.deepEqual(await store.users.findByEmail(user.email), user);
    await renew(store, session.token.hash);
  });

  it('survives the death of the server under load, and a token is still renewed once', async () => {
    await using store = await open(await postgres.createDatabase());
    const session = await addSession(store, await addUser(store));
    const uses = Array.from({ length: 30 }, () => outcomeOf(store, session.token.hash));
    const [outcomes] = await Promise.all([Promise.allSettled(uses), postgres.kill()]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof StoreUnavailable);
    }

    await postgres.resume();
    const before = outcomes.filter((o) => o.status === 'fulfilled' && o.value === 'rotated').length;
    const afterwards = await outcomeOf(store, session.token.hash);
    assert.ok(before <= 1);
    // Without an answer, the first use may have taken effect or not.
    assert.ok(afterwards === 'repeated' || (afterwards === 'rotated' && before === 0), afterwards);
  });

  it('gives up on a statement that waits too long, and lets go of its connection', async () => {
    const url = await postgres.createDatabase();
    await (await open(url))[Symbol.asyncDispose]();
    const settings = { kind: 'postgres', url, connectionsMax: 2, connectionsMin: 0 } as const;
    await using store = createStore(new PostgresDatabase(settings, { connectMs: 5000, statementMs: 50 }));

    const holder = new pg.Client(url);
    await holder.connect();
    await holder.query('BEGIN; LOCK TABLE users');
    for (let n = 0; n < 4; n++) await assert.rejects(addUser(store), /took too long.*57014/);
    await holder.query('ROLLBACK');
    await holder.end();
    await addUser(store);
  });

  it('gives up on a server that never answers', async (t) => {
    const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => silent.close());
    const { port } = silent.address() as { port: number };
    const url = `postgres://someone:${POSTGRES_PASSWORD}@127.0.0.1:${port}/accounts`;
    const settings = { kind: 'postgres', url, connectionsMax: 1, connectionsMin: 0 } as const;
    await using store = createStore(new PostgresDatabase(settings, { connectMs: 100, statementMs: 100 }));
    await assert.rejects(Promise.all([store.ping(), store.ping()]), StoreUnavailable);
  });

  it('opens no more connections than it may, and keeps as many as it should', async () => {
    const url = await postgres.createDatabase();
    const observer = new pg.Client(url);
    await observer.connect();
    const connections = async () => {
      const count = `SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE application_name = 'signalbox' AND datname = current_database()`;
      return (await observer.query(count)).rows[0].n;
    };
    const store = await open(url, 3, 2);
    await until('two connections', async () => (await connections()) === 2);
    await Promise.all(Array.from({ length: 50 }, () => addUser(store)));
    assert.equal(await connections(), 3);

    await store[Symbol.asyncDispose]();
    await until('no connection', async () => (await connections()) === 0);
    await observer.end();
  });

  it('refuses more callers than can be expected to get a connection in time', async () => {
    await using store = await open(await postgres.createDatabase(), 1);
    const outcomes = await Promise.allSettled(Array.from({ length: 1100 }, () => store.ping()));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.ok(refused.length >= 50 && refused.length <= 100, `${refused.length}`);
    await store.ping();
  });

  it('is not disturbed by a connection that the server ends', async () => {
    const url = await postgres.createDatabase();
    await using store = await open(url, 4, 4);
    const other = new pg.Client(url);
    await other.connect();
    await other.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'signalbox' AND datname = current_database()`);
    await other.end();
    await until('an answer', () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    );
  });

  describe('never shows what is in its URL', () => {
    const secrets = /not-to-be-seen|postgres:\/\/|127\.0\.0\.1|somebody|no_such/;
    const check = async (url: string, expected: RegExp) => {
      await assert.rejects(open(url), (error: Error) => {
        assert.match(error.message, expected);
        assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)} ${error.cause}`, secrets);
        return true;
      });
    };

    it('when the password is wrong', () =>
      check(postgres.url().replace(':not-', ':not-to-be-seen-either-'), /refuses the user or the password/));

    it('when there is no such user', () =>
      check(postgres.url().replace('//postgres', '//somebody'), /refuses the user or the password/));

    it('when there is no such database', () =>
      check(postgres.url('no_such_database'), /no database of the name/));

    it('when nobody listens', async () =>
      check(postgres.url().replace(/:\d+\//, `:${await freePort()}/`), /ECONNREFUSED/));

    it('when it is not a URL', () =>
      check(`postgres://somebody:${POSTGRES_PASSWORD}@127.0.0.1:port/x`, /database\.url is not a usable/));
  });
});
