import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { buffer, text as textOf } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { type AdminHandler, type AdminRoutes, json, text } from '#admin/api.ts';
import { startAdminServer } from '#admin/server.ts';
import { keptLog } from '#test/support/log.ts';
import { type Question, serveAdmin } from './listener.ts';

const TOKEN = 'correct horse battery staple';

const ROUTES: AdminRoutes = new Map<string, AdminHandler>([
  ['GET /livez', () => text(200, 'alive')],
  ['GET /readyz', () => text(503, 'not ready')],
  ['GET /api/echo', ({ query }) => json(200, Object.fromEntries(query))],
  ['POST /api/size', async ({ body }) => json(200, { bytes: (await buffer(body)).length })],
  ['GET /api/things/new', () => text(200, 'this one')],
  ['GET /api/things/*', ({ name, headers }) => json(200, { name, accept: headers.accept })],
  ['GET /api/broken', () => Promise.reject(new Error('secret detail'))],
  [
    'GET /api/thrown',
    () => {
      throw new Error('secret detail');
    },
  ],
]);

async function scene(t: TestContext, token: string | null = null) {
  const { ask, port, lines } = await serveAdmin(t, ROUTES, token);
  const statusOf = async (path: string, question: Question) => (await ask(path, question)).status;
  return { ask, statusOf, port, lines };
}

describe('the admin listener', () => {
  it('answers what it knows, with its query', async (t) => {
    const { ask } = await scene(t);
    const { status, headers, body } = await ask('/api/echo?a=1%202&b=x?y');
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body), { a: '1 2', b: 'x?y' });
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['cache-control'], 'no-store');
  });

  it('answers for all things of a kind, by their name', async (t) => {
    const { ask, statusOf } = await scene(t);
    const { body } = await ask('/api/things/a%20b?x=1', { headers: { accept: 'text/*' } });
    assert.deepEqual(JSON.parse(body), { name: 'a b', accept: 'text/*' });
    assert.equal((await ask('/api/things/new')).body, 'this one\n');
    for (const path of ['/api/things', '/api/things/a/b', '/api/things/%e0']) {
      assert.equal(await statusOf(path, {}), 404, path);
    }
  });

  it('answers HEAD as GET, without the body', async (t) => {
    const { ask } = await scene(t);
    const { status, headers, body } = await ask('/livez', { method: 'HEAD' });
    assert.deepEqual([status, headers['content-length'], body], [200, '6', '']);
  });

  it('says in JSON what it does not have', async (t) => {
    const { ask } = await scene(t);
    const absent = {
      '/nothing': 'GET',
      '/livez': 'POST',
      '/api/echo': 'DELETE',
      '/livez/': 'GET',
      '//livez': 'GET',
    };
    for (const [path, method] of Object.entries(absent)) {
      const { status, headers, body } = await ask(path, { method });
      assert.deepEqual([status, headers['content-type']], [404, 'application/json'], path);
      assert.deepEqual(JSON.parse(body), { error: `the admin API has no ${method} ${path}` });
    }
    assert.equal((await ask('/__proto__')).status, 404);
    assert.equal((await ask('/constructor')).status, 404);
  });

  it('answers 500 when it fails, tells its log why, and goes on', async (t) => {
    const { ask, lines } = await scene(t);
    for (const path of ['/api/broken', '/api/thrown?x=secret']) {
      const { status, body } = await ask(path);
      assert.equal(status, 500);
      assert.doesNotMatch(body, /secret/);
    }
    assert.equal(lines.filter((line) => line.includes('secret detail')).length, 2);
    assert.ok(!lines.some((line) => line.includes('x=secret')));
    assert.equal((await ask('/livez')).status, 200);
  });

  it('rejects where its port is taken', async (t) => {
    const { port } = await scene(t);
    const { log } = keptLog();
    await assert.rejects(startAdminServer({ address: '127.0.0.1', port, token: null }, ROUTES, log), {
      code: 'EADDRINUSE',
    });
  });
});

describe('without a token', () => {
  it('only this machine is talked to, by its own names', async (t) => {
    // A page whose name is rebound to 127.0.0.1 could otherwise read and change everything.
    const { statusOf, port } = await scene(t);
    for (const host of ['localhost', 'LOCALHOST:1', `127.0.0.1:${port}`, '127.1.2.3', '[::1]:9901'])
      assert.equal(await statusOf('/api/echo', { headers: { host } }), 200, host);
    const others = [
      'evil.test',
      'localhost.evil.test',
      'evil.test:9901',
      '127.0.0.1.evil.test',
      'localhost:x',
    ];
    others.push('0.0.0.0', '[::]', 'localhost@evil.test', 'xlocalhost', '127.0.0.1/..');
    for (const host of others) assert.equal(await statusOf('/api/echo', { headers: { host } }), 403, host);
  });

  it('the page of another site is not listened to', async (t) => {
    const { statusOf, port } = await scene(t);
    const host = `127.0.0.1:${port}`;
    const asked = (origin: string) => statusOf('/api/echo', { headers: { host, origin } });
    assert.equal(await asked(`http://${host}`), 200);
    for (const origin of ['http://evil.test', 'null', '', 'http://127.0.0.1:1', 'garbage'])
      assert.equal(await asked(origin), 403, origin);
  });

  it('probes may come by any name', async (t) => {
    const { statusOf } = await scene(t);
    assert.equal(await statusOf('/livez', { headers: { host: '10.0.0.7:9901' } }), 200);
    assert.equal(await statusOf('/readyz?verbose', { headers: { host: 'pod.cluster.test' } }), 503);
    assert.equal(await statusOf('/livez/../api/echo', { headers: { host: 'evil.test' } }), 403);
  });
});

describe('with a token', () => {
  it('whoever has it is answered, by any name', async (t) => {
    const { statusOf } = await scene(t, TOKEN);
    for (const scheme of ['Bearer', 'bearer', 'BEARER '])
      assert.equal(
        await statusOf('/api/echo', { headers: { host: 'admin.test', authorization: `${scheme} ${TOKEN}` } }),
        200,
      );
  });

  it('whoever has not is asked for it, whatever they look for', async (t) => {
    const { ask, statusOf } = await scene(t, TOKEN);
    const wrong = [
      '',
      'Bearer',
      'Bearer ',
      `Basic ${TOKEN}`,
      TOKEN,
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
    ];
    wrong.push(`Bearer x ${TOKEN}`, `Bearer ${TOKEN.toUpperCase()}`, 'Bearer null', 'Bearer undefined');
    for (const authorization of wrong)
      for (const path of ['/api/echo', '/nothing'])
        assert.equal(await statusOf(path, { headers: { authorization } }), 401, authorization);
    const { headers, body } = await ask('/api/echo', { headers: { host: 'localhost' } });
    assert.match(`${headers['www-authenticate']}`, /^Bearer realm=/);
    assert.ok(!body.includes(TOKEN));
  });

  it('probes need none', async (t) => {
    const { statusOf } = await scene(t, TOKEN);
    assert.equal(await statusOf('/livez', {}), 200);
  });
});

describe('an odd request', () => {
  /** The status line of the answer to raw bytes, or '' where the connection is only closed. */
  async function raw(port: number, bytes: string): Promise<string> {
    const client = connect(port, '127.0.0.1').on('error', () => {});
    client.end(bytes);
    const [line = ''] = (await textOf(client)).split('\r\n');
    return line;
  }

  it('is refused without harm', async (t) => {
    const { port, statusOf } = await scene(t);
    const host = 'Host: localhost\r\nConnection: close\r\n\r\n';
    const cases = {
      [`GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${host}`]: 431,
      [`GET /livez HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n${host}`]: 431,
      [`BREW /livez HTTP/1.1\r\n${host}`]: 400,
      'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n': 400,
      'GET /api/echo HTTP/1.0\r\n\r\n': 403,
      [`GET http://evil.test/livez HTTP/1.1\r\n${host}`]: 404,
      [`OPTIONS * HTTP/1.1\r\n${host}`]: 404,
      [`GET /%ff%00%zz HTTP/1.1\r\n${host}`]: 404,
      [`GET ? HTTP/1.1\r\n${host}`]: 400,
      [`GET /api/echo?%zz=%ff&&=&__proto__=1 HTTP/1.1\r\n${host}`]: 200,
      [`GET /livez HTTP/1.1\r\nUpgrade: websocket\r\n${host}`]: 200,
    };
    for (const [bytes, status] of Object.entries(cases))
      assert.match(await raw(port, bytes), new RegExp(`^HTTP/1.1 ${status} `), bytes.slice(0, 60));
    assert.equal(await raw(port, `CONNECT localhost:1 HTTP/1.1\r\n${host}`), '');
    assert.equal(await statusOf('/livez', {}), 200);
  });

  it('with a body that nobody reads leaves the connection in order', async (t) => {
    const { ask } = await scene(t);
    const body = 'x'.repeat(1_000_000);
    assert.equal((await ask('/nothing', { method: 'POST', body })).status, 404);
    assert.deepEqual(JSON.parse((await ask('/api/size', { method: 'POST', body })).body), {
      bytes: 1_000_000,
    });
  });

  it('from a client that leaves is forgotten', async (t) => {
    const { port, statusOf } = await scene(t);
    const client = connect(port, '127.0.0.1');
    client.write('POST /api/size HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\npart');
    await once(client, 'connect');
    client.resetAndDestroy();
    assert.equal(await statusOf('/livez', {}), 200);
  });
});
