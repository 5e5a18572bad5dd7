import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bearer, JSON_TYPE, post, scene, tokensOf, USER } from '#test/support/accounts.ts';
import { ask, burst, load, tally } from '#test/support/load.ts';
import { startInstance, until } from '#test/support/process.ts';
import { startUpstreams } from '#test/support/upstream.ts';

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
