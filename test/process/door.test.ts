import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Instance, startInstance } from '#test/support/process.ts';
import { startUpstream } from '#test/support/upstream.ts';

const APP = 'https://app.example.com';

function preflight(instance: Instance, path: string, method: string, origin = APP): Promise<Response> {
  const headers = { Origin: origin, 'Access-Control-Request-Method': method };
  return fetch(`${instance.url}${path}`, { method: 'OPTIONS', headers });
}

const allowed = ({ headers }: Response) => headers.get('access-control-allow-origin');

describe('access by address', () => {
  it('is looked at before credentials, as trusted proxies tell the address', async (t) => {
    const upstream = await startUpstream(t, 'red');
    const instance = await startInstance(t, [upstream], {
      server: { trusted_proxies: ['127.0.0.1'] },
      middleware: { access: { deny: ['192.0.2.0/24'] }, auth: { valid_tokens: ['t'] } },
      routes: [
        { path_prefix: '/inside', access: { allow: ['10.0.0.0/8'] } },
        { path_prefix: '/out', access: false },
        {},
      ],
    });
    const status = async (path: string, from: string) => {
      const headers = { 'X-Forwarded-For': from };
      return (await fetch(`${instance.url}${path}`, { headers })).status;
    };
    assert.equal(await status('/', '192.0.2.1'), 403);
    assert.equal(await status('/', '198.51.100.1'), 401);
    assert.equal(await status('/out', '192.0.2.1'), 401);
    assert.equal(await status('/inside', '198.51.100.1'), 403);
    assert.equal(await status('/inside', '10.1.1.1'), 401);
    assert.equal(await status('/health', '192.0.2.1'), 200);
    assert.equal(upstream.requests, 0);
    const metrics = await (await fetch(`${instance.admin}/metrics`)).text();
    assert.match(metrics, /access_denied/);
  });
});

describe('a browser', () => {
  it('is told beforehand what scripts of other origins may do, without credentials', async (t) => {
    const upstream = await startUpstream(t, 'red');
    const cors = { allow_origins: [APP], allow_methods: ['PUT'], allow_headers: ['Authorization'] };
    const instance = await startInstance(t, [upstream], {
      middleware: { auth: { valid_tokens: ['t'] } },
      routes: [{ methods: ['PUT'], cors }, {}],
    });
    const answer = await preflight(instance, '/x', 'PUT');
    assert.equal(answer.status, 204);
    assert.equal(allowed(answer), APP);
    assert.equal(answer.headers.get('access-control-allow-methods'), 'PUT');
    assert.equal(answer.headers.get('access-control-allow-headers'), 'Authorization');
    assert.equal(answer.headers.get('access-control-max-age'), '600');
    assert.equal(answer.headers.get('vary'), 'Origin');
    assert.equal(answer.headers.get('content-length'), null);
    assert.equal(answer.headers.get('x-proxy-by'), 'signalbox');
    assert.equal(allowed(await preflight(instance, '/x', 'PUT', 'https://evil.example')), null);
    // The other route says nothing of origins, so what is asked there is asked of the upstream.
    assert.equal((await preflight(instance, '/x', 'GET')).status, 401);
    assert.equal(upstream.requests, 0);
  });

  it('hears it from us alone, on answers and refusals', async (t) => {
    const upstream = await startUpstream(t, 'red', (_, response) => {
      response.writeHead(200, {
        'Access-Control-Allow-Origin': '*',
        'Access-Control-Allow-Credentials': 'true',
        Vary: 'Accept',
      });
      response.end();
    });
    const cors = { allow_origins: [APP], expose_headers: ['X-Request-ID'] };
    const instance = await startInstance(t, [upstream], {
      middleware: { cors, auth: { valid_tokens: ['t'] } },
      routes: [{ path_prefix: '/own', cors: false }, {}],
    });
    const get = (path: string, headers: Record<string, string>) =>
      fetch(`${instance.url}${path}`, { headers });
    const credentials = { Authorization: 'Bearer t' };

    const answer = await get('/', { ...credentials, Origin: APP });
    assert.equal(allowed(answer), APP);
    assert.equal(answer.headers.get('access-control-allow-credentials'), null);
    assert.equal(answer.headers.get('access-control-expose-headers'), 'X-Request-ID');
    assert.equal(answer.headers.get('vary'), 'Accept, Origin');
    assert.equal(allowed(await get('/', { ...credentials, Origin: 'https://evil.example' })), null);
    const refused = await get('/', { Origin: APP });
    assert.deepEqual([refused.status, allowed(refused)], [401, APP]);
    assert.equal(allowed(await get('/own', { ...credentials, Origin: APP })), '*');
    assert.equal(allowed(await get('/health', { Origin: APP })), null);
  });

  it('may log in from another origin', async (t) => {
    const upstream = await startUpstream(t, 'red');
    const cors = { allow_origins: [APP], allow_headers: ['Content-Type'] };
    const instance = await startInstance(t, [upstream], { middleware: { cors, auth: { auth_type: 'jwt' } } });
    const asked = await preflight(instance, '/auth/login', 'POST');
    assert.deepEqual([asked.status, allowed(asked)], [204, APP]);
    const failed = await fetch(`${instance.url}/auth/login`, {
      method: 'POST',
      headers: { Origin: APP, 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'a@example.com', password: 'wrong' }),
    });
    assert.deepEqual([failed.status, allowed(failed)], [401, APP]);
    const keys = await fetch(`${instance.url}/.well-known/jwks.json`, { headers: { Origin: APP } });
    assert.deepEqual([keys.status, allowed(keys)], [200, APP]);
  });
});
