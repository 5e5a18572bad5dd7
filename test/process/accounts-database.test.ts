import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import { bearer, everywhere, post, scene, tokensOf, USER } from '#test/support/accounts.ts';
import { ask, load, tally } from '#test/support/load.ts';
import { TestPostgres } from '#test/support/postgres.ts';
import { freePort, type Instance, runCommand, until, writeConfig } from '#test/support/process.ts';

describe('while Postgres is away', () => {
  it('an instance waits for it to start', async (t) => {
    const postgres = await TestPostgres.start();
    t.after(() => postgres[Symbol.asyncDispose]());
    await postgres.stop();
    // In its place, somebody who hangs up, and so knows when the instance has tried.
    const nobody = createServer((socket) => socket.destroy()).listen(postgres.port, '127.0.0.1');
    const tried = once(nobody, 'connection');
    const starting = scene(t, {}, { DATABASE_URL: postgres.url() });
    await tried;
    nobody.close();
    await once(nobody, 'close');
    await postgres.resume();
    const instance = await starting;
    assert.match(instance.output, /waiting for the database/);
    assert.equal((await post(instance, 'register', USER)).status, 201);
  });

  it('/auth answers 503, valid tokens pass, and all is well when it is back', async (t) => {
    const postgres = await TestPostgres.start();
    t.after(() => postgres[Symbol.asyncDispose]());
    const instance = await scene(t, {}, { DATABASE_URL: postgres.url() });
    const tokens = await tokensOf(await post(instance, 'register', USER));
    let isOver = false;
    const proxied = load(
      instance.url,
      4,
      () => isOver,
      () => ({ headers: bearer(tokens.access_token) }),
    );

    await postgres.stop();
    for (const [name, body] of [
      ['login', USER],
      ['register', { ...USER, email: 'other@example.com' }],
      ['refresh', { refresh_token: tokens.refresh_token }],
      ['logout', { refresh_token: tokens.refresh_token }],
    ] as const) {
      const answer = await post(instance, name, body);
      assert.equal(answer.status, 503, name);
      assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
      assert.doesNotMatch(await answer.text(), /postgres|127\.0\.0\.1|ECONN/i);
    }
    assert.deepEqual(await everywhere(instance, tokens.access_token), { 200: 20 });

    await postgres.resume();
    await until('logins work again', async () => (await post(instance, 'login', USER)).status === 200);
    assert.equal((await post(instance, 'refresh', { refresh_token: tokens.refresh_token })).status, 200);
    isOver = true;
    assert.deepEqual(Object.keys(tally((await proxied).map(({ status }) => status))), ['200']);
    assert.match(instance.output, /accounts are not available; proxying goes on/);
    assert.match(instance.output, /accounts are available again/);
    assert.ok(!instance.output.includes('not-to-be-seen'));
  });
});

/** Everything that asks the database is refused, and nothing else. */
async function expectNoAccounts(instance: Instance, tokens: { access_token: string; refresh_token: string }) {
  const { refresh_token } = tokens;
  const asked = Object.entries({ login: USER, refresh: { refresh_token }, logout: { refresh_token } });
  for (const [name, body] of asked) {
    const answer = await post(instance, name, body);
    assert.equal(answer.status, 503, name);
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
    assert.doesNotMatch(await answer.text(), /sqlite|accounts\.db|disk|lock/i);
  }
  assert.deepEqual(await everywhere(instance, tokens.access_token), { 200: 20 });
}

describe('while SQLite is not to be written to', () => {
  async function withFile(t: TestContext) {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-file-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const instance = await scene(t, {}, { SIGNALBOX_DATA_DIR: folder });
    const tokens = await tokensOf(await post(instance, 'register', USER));
    return { instance, tokens, file: join(folder, 'accounts.db') };
  }

  it('because another process holds its lock, all else goes on, and so do accounts after it', async (t) => {
    const { instance, tokens, file } = await withFile(t);
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    await expectNoAccounts(instance, tokens);
    // Nobody who asks for something else waits with those who ask for the lock.
    const logins = Array.from({ length: 20 }, () => post(instance, 'login', USER));
    const { ms } = await ask(instance.admin, { path: '/livez' });
    assert.ok(ms < 500, `${ms} ms`);
    for (const { status } of await Promise.all(logins)) assert.equal(status, 503);

    other.exec('ROLLBACK');
    other.close();
    assert.equal((await post(instance, 'login', USER)).status, 200);
    assert.equal((await post(instance, 'refresh', { refresh_token: tokens.refresh_token })).status, 200);
  });

  it('because the disk is full, the same holds', async (t) => {
    const { instance, tokens, file } = await withFile(t);
    const limit = (bytes: number | 'unlimited') =>
      execFileSync('prlimit', ['--pid', `${instance.child.pid}`, `--fsize=${bytes}:`]);
    limit(statSync(`${file}-wal`).size);
    await expectNoAccounts(instance, tokens);
    limit('unlimited');
    assert.equal((await post(instance, 'login', USER)).status, 200);
    assert.equal((await post(instance, 'refresh', { refresh_token: tokens.refresh_token })).status, 200);
    assert.match(instance.output, /accounts are not available; proxying goes on/);
    assert.match(instance.output, /accounts are available again/);
  });

  it('ever, an instance does not start, and says which file it is', async (t) => {
    const file = await writeConfig(t, {
      server: { listen_address: '127.0.0.1', listen_port: await freePort() },
      admin: { listen: `127.0.0.1:${await freePort()}` },
      load_balancing: { upstreams: [{ address: '127.0.0.1', port: 1 }] },
      middleware: { auth: { auth_type: 'jwt' } },
    });
    const env = { SIGNALBOX_DATA_DIR: '/dev/null/data' };
    const { code, stderr } = await runCommand(['start', '--config', file], '', env);
    assert.equal(code, 69);
    assert.match(
      stderr,
      /^signalbox: the accounts database \/dev\/null\/data\/accounts\.db cannot be used: ENOTDIR/m,
    );
  });
});
