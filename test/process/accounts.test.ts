import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  bearer,
  everywhere,
  JSON_TYPE,
  post,
  scene,
  type Tokens,
  tokensOf,
  USER,
} from '#test/support/accounts.ts';
import { burst, tally } from '#test/support/load.ts';
import { NatsServer } from '#test/support/nats.ts';
import { TestPostgres } from '#test/support/postgres.ts';
import { runCommand, until } from '#test/support/process.ts';

describe('an account', () => {
  it('[4] [28] is made, used, renewed and left; nothing of it is in the log', async (t) => {
    const instance = await scene(t);
    const registered = await post(instance, 'register', USER);
    assert.equal(registered.status, 201);
    assert.equal(registered.headers.get('cache-control'), 'no-store');
    const first = await tokensOf(registered);
    assert.deepEqual(await everywhere(instance, first.access_token), { 200: 20 });

    const loggedIn = await post(instance, 'login', USER);
    assert.equal(loggedIn.status, 200);
    const second = await tokensOf(loggedIn);
    const renewed = await post(instance, 'refresh', { refresh_token: second.refresh_token });
    assert.equal(renewed.status, 200);
    const third = await tokensOf(renewed);
    assert.deepEqual(await everywhere(instance, third.access_token), { 200: 20 });

    const left = await post(instance, 'logout', { refresh_token: third.refresh_token });
    assert.equal(left.status, 200);
    assert.deepEqual(await left.json(), { message: 'Logged out successfully' });
    await until('all workers refuse the session', async () => {
      const statuses = await everywhere(instance, third.access_token);
      return statuses[401] === 20;
    });
    assert.deepEqual(await everywhere(instance, second.access_token), { 401: 20 });
    assert.deepEqual(await everywhere(instance, first.access_token), { 200: 20 });
    assert.equal((await post(instance, 'refresh', { refresh_token: third.refresh_token })).status, 401);

    const users = await fetch(`${instance.admin}/api/users`).then((answer) => answer.text());
    const metrics = await fetch(`${instance.admin}/metrics`).then((answer) => answer.text());
    const secrets = [
      USER.password,
      ...[first, second, third].flatMap((it) => [it.access_token, it.refresh_token]),
    ];
    for (const secret of [...secrets, '$argon2id']) {
      for (const text of [instance.output, users, metrics]) assert.ok(!text.includes(secret));
    }
    assert.ok(!instance.output.includes(USER.email));
    assert.match(instance.output, /"msg":"logged in"/);
  });

  it('[26] renewed twenty times at once goes on with one refresh token', async (t) => {
    const instance = await scene(t);
    const { refresh_token } = await tokensOf(await post(instance, 'register', USER));
    const body = JSON.stringify({ refresh_token });
    const samples = await burst(instance.url, 20, 20, () => ({
      method: 'POST',
      path: '/auth/refresh',
      headers: { ...JSON_TYPE, 'Content-Length': String(body.length) },
      body,
    }));
    assert.deepEqual(tally(samples.map(({ status }) => status)), { 200: 20 });
    const next = new Set(samples.map((sample) => (JSON.parse(sample.body) as Tokens).refresh_token));
    assert.equal(next.size, 1);
  });

  it('[29] [31] is left everywhere, and stays left after a restart', async (t) => {
    const postgres = await TestPostgres.start();
    t.after(() => postgres[Symbol.asyncDispose]());
    const env = { DATABASE_URL: await postgres.createDatabase() };
    const first = await scene(t, {}, env);
    const one = await tokensOf(await post(first, 'register', USER));
    const two = await tokensOf(await post(first, 'login', USER));
    const second = await scene(t, {}, env);
    assert.deepEqual(await everywhere(second, two.access_token), { 200: 20 });

    assert.equal((await post(first, 'logout-all', '', bearer(one.access_token))).status, 200);
    for (const { access_token } of [one, two]) {
      await until('all workers refuse', async () => (await everywhere(first, access_token))[401] === 20);
    }
    const late = await scene(t, {}, env);
    assert.deepEqual(await everywhere(late, two.access_token), { 401: 20 });
    // Without a bus between them, the database tells.
    const refused = async () => (await everywhere(second, two.access_token))[401] === 20;
    await until('the other instance refuses', refused, 20_000);
  });

  it('[31] is left in other instances as soon as the bus tells them', async (t) => {
    const nats = await NatsServer.start(t);
    // With a database each, only the bus can tell; and with one secret, each accepts the other's tokens.
    const env = { NATS_URL: nats.url, JWT_SECRET: randomBytes(32).toString('hex') };
    const [first, second] = [await scene(t, {}, env), await scene(t, {}, env)];
    const tokens = await tokensOf(await post(first, 'register', USER));
    assert.deepEqual(await everywhere(second, tokens.access_token), { 200: 20 });
    assert.equal((await post(first, 'logout', { refresh_token: tokens.refresh_token })).status, 200);
    await until('the other instance refuses', async () => {
      return (await everywhere(second, tokens.access_token))[401] === 20;
    });
    const late = await scene(t, {}, env);
    await until('so does a late one', async () => (await everywhere(late, tokens.access_token))[401] === 20);
  });

  it('[30] is listed, disabled, enabled and deleted from the command line', async (t) => {
    const instance = await scene(t);
    const run = (...args: string[]) => runCommand([...args, '--admin', instance.admin]);
    const { access_token, user_id } = await tokensOf(await post(instance, 'register', USER));
    const refused = async (token: string) => (await everywhere(instance, token))[401] === 20;

    assert.match((await run('users', 'list')).stdout, new RegExp(`${user_id} +${USER.email} +active`));
    assert.equal((await run('users', 'disable', USER.email)).code, 0);
    await until('the token is refused', () => refused(access_token));
    assert.match((await run('users', 'list')).stdout, /disabled/);
    assert.equal((await post(instance, 'login', USER)).status, 401);

    assert.equal((await run('users', 'enable', user_id)).code, 0);
    const again = await tokensOf(await post(instance, 'login', USER));
    assert.deepEqual(await everywhere(instance, again.access_token), { 200: 20 });
    assert.equal((await run('sessions', 'revoke', USER.email)).code, 0);
    await until('the token is refused', () => refused(again.access_token));

    assert.equal((await run('users', 'delete', USER.email)).code, 0);
    const gone = await run('users', 'delete', USER.email);
    assert.deepEqual([gone.code, /no such user/.test(gone.stderr)], [69, true]);
    assert.equal((await run('users')).code, 64);
    assert.equal((await run('sessions', 'revoke')).code, 64);
    assert.equal((await post(instance, 'register', USER)).status, 201);
  });
});

describe('a password', () => {
  const CHOSEN = { ...USER, password: 'AnotherPass456!' };

  it('[30] is changed by who has it, and all sessions but the new one are over', async (t) => {
    const instance = await scene(t);
    const one = await tokensOf(await post(instance, 'register', USER));
    const two = await tokensOf(await post(instance, 'login', USER));
    const change = { current_password: USER.password, new_password: CHOSEN.password };
    const headers = { ...JSON_TYPE, ...bearer(one.access_token) };
    const wrong = await post(instance, 'password', { ...change, current_password: 'WrongPass123!' }, headers);
    assert.deepEqual([wrong.status, wrong.headers.get('content-type')], [403, 'application/problem+json']);
    assert.equal((await post(instance, 'password', change)).status, 401);

    const changed = await post(instance, 'password', change, headers);
    assert.equal(changed.status, 200);
    assert.equal(changed.headers.get('cache-control'), 'no-store');
    const next = await tokensOf(changed);
    for (const { access_token } of [one, two]) {
      await until('all workers refuse', async () => (await everywhere(instance, access_token))[401] === 20);
    }
    assert.deepEqual(await everywhere(instance, next.access_token), { 200: 20 });
    assert.equal((await post(instance, 'refresh', { refresh_token: two.refresh_token })).status, 401);
    assert.equal((await post(instance, 'login', USER)).status, 401);
    assert.equal((await post(instance, 'login', CHOSEN)).status, 200);
    for (const secret of [USER.password, CHOSEN.password]) assert.ok(!instance.output.includes(secret));
  });

  it('[30] is set from the command line, by standard input', async (t) => {
    const instance = await scene(t);
    const { access_token } = await tokensOf(await post(instance, 'register', USER));
    const set = (password: string, user = USER.email) =>
      runCommand(['users', 'set-password', user, '--admin', instance.admin], password);
    const weak = await set('weak\n');
    assert.deepEqual([weak.code, /at least 8 characters/.test(weak.stderr)], [69, true]);
    assert.equal((await set(`${CHOSEN.password}\n`, 'nobody@example.com')).code, 69);

    const { code, stdout } = await set(`${CHOSEN.password}\n`);
    assert.equal(code, 0);
    assert.match(stdout, /^user@example\.com \(\S{36}\) has a new password, and no session\n$/);
    await until('all workers refuse', async () => (await everywhere(instance, access_token))[401] === 20);
    assert.equal((await post(instance, 'login', USER)).status, 401);
    assert.equal((await post(instance, 'login', CHOSEN)).status, 200);
    assert.ok(!instance.output.includes(CHOSEN.password));
    assert.equal((await runCommand(['users', 'set-password'])).code, 64);
  });
});
