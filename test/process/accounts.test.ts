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
import { ask, burst, load, tally } from '#test/support/load.ts';
import { NatsServer } from '#test/support/nats.ts';
import { TestPostgres } from '#test/support/postgres.ts';
import { runCommand, startInstance, until } from '#test/support/process.ts';
import { startUpstreams } from '#test/support/upstream.ts';

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

describe('what is sent to /auth', () => {
  it('[36] is posted, is JSON, and has at most 16 KiB', async (t) => {
    const instance = await scene(t);
    const got = await fetch(`${instance.url}/auth/login`);
    assert.deepEqual([got.status, got.headers.get('allow')], [405, 'POST']);
    assert.equal(got.headers.get('cache-control'), 'no-store');
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx']) {
      assert.equal((await post(instance, 'login', USER, { 'Content-Type': type })).status, 415, type);
    }
    const spelled = { 'Content-Type': 'Application/JSON; charset=utf-8' };
    assert.equal((await post(instance, 'login', USER, spelled)).status, 401);

    const padded = (bytes: number) => JSON.stringify(USER).padEnd(bytes);
    assert.equal((await post(instance, 'login', padded(16_384))).status, 401);
    assert.equal((await post(instance, 'login', padded(16_385))).status, 413);
    const stream = new ReadableStream({
      start(controller) {
        for (let nth = 0; nth < 20; nth++) controller.enqueue(new Uint8Array(1000).fill(32));
        controller.close();
      },
    });
    const chunked = await fetch(`${instance.url}/auth/login`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: stream,
      duplex: 'half',
    });
    assert.equal(chunked.status, 413);
  });

  it('[37] [41] is refused as problem details that say nothing of the inside', async (t) => {
    const instance = await scene(t);
    for (const text of ['', '{', '\ufeff{}', '{"email":"a","email":"b","password":"c"}']) {
      const answer = await post(instance, 'login', text);
      assert.equal(answer.status, 400);
      assert.equal(answer.headers.get('content-type'), 'application/problem+json');
      const problem = (await answer.json()) as Record<string, unknown>;
      assert.equal(problem['request_id'], answer.headers.get('x-request-id'));
      assert.doesNotMatch(JSON.stringify(problem), /stack|node:|\.ts|SQL/i);
    }
    const failed = await post(instance, 'login', USER);
    const id = failed.headers.get('x-request-id') ?? 'none';
    assert.match(failed.headers.get('www-authenticate') ?? '', /^Bearer /);
    await until('the log has the request', () => instance.output.includes(`"request_id":"${id}"`));
  });

  it('[10] is counted, whatever address a client says it has and however it spells the email', async (t) => {
    const instance = await scene(t);
    const spellings = [
      USER.email,
      'USER@example.com',
      ' user@EXAMPLE.com ',
      'User@Example.Com\t',
      USER.email,
    ];
    const guess = (email: string, nth: number) =>
      post(
        instance,
        'login',
        { email, password: `WrongPass${nth}` },
        {
          ...JSON_TYPE,
          'X-Forwarded-For': `198.51.100.${nth}`,
          Forwarded: `for=198.51.100.${nth}`,
          'X-Real-IP': `198.51.100.${nth}`,
        },
      );
    for (const [nth, email] of spellings.entries()) assert.equal((await guess(email, nth)).status, 401);
    const refused = await guess(USER.email, 99);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '1']);
    assert.doesNotMatch(instance.output, /198\.51\.100/);
  });

  it('[39] is not for pages of other sites', async (t) => {
    const instance = await scene(t);
    const asked = await fetch(`${instance.url}/auth/login`, {
      method: 'OPTIONS',
      headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
    });
    assert.equal(asked.status, 405);
    const sent = await post(instance, 'login', USER, { ...JSON_TYPE, Origin: 'https://evil.example' });
    for (const { headers } of [asked, sent]) {
      assert.deepEqual(
        [...headers.keys()].filter((name) => name.startsWith('access-control-')),
        [],
      );
    }
  });

  it('never reaches an upstream, however it is spelled', async (t) => {
    const upstreams = await startUpstreams(t, ['red']);
    const instance = await startInstance(t, upstreams, {
      middleware: { auth: { auth_type: 'jwt' } },
      routes: [{ path_prefix: '/private' }, { auth: false }],
    });
    assert.equal((await ask(instance.url)).status, 200);
    for (const path of ['/auth', '/auth/', '/auth/nothing', '/auth/%6cogins', '/x/../auth/other']) {
      assert.equal((await ask(instance.url, { method: 'POST', path })).status, 404, path);
    }
    assert.equal(upstreams[0]?.requests, 1);
  });

  it('[43] a hundred times at once is answered, or refused with 429 or 503; proxying goes on', async (t) => {
    const throttle = { attempts: 1000, attempts_per_ip: 1000 };
    const instance = await scene(t, { accounts: { throttle } });
    const { access_token } = await tokensOf(await post(instance, 'register', USER));
    let isOver = false;
    const proxied = load(
      instance.url,
      8,
      () => isOver,
      () => ({ headers: bearer(access_token) }),
    );
    const body = JSON.stringify({ ...USER, password: 'WrongPass123!' });
    const headers = { ...JSON_TYPE, 'Content-Length': String(body.length) };
    const logins = await burst(instance.url, 100, 100, () => ({
      method: 'POST',
      path: '/auth/login',
      headers,
      body,
    }));
    isOver = true;
    const statuses = tally(logins.map(({ status }) => status));
    assert.ok((statuses[401] ?? 0) > 0);
    assert.equal((statuses[401] ?? 0) + (statuses[429] ?? 0) + (statuses[503] ?? 0), 100);
    assert.deepEqual(Object.keys(tally((await proxied).map(({ status }) => status))), ['200']);
  });
});
