import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { ask } from '#test/support/load.ts';
import { freePort, startInstance, until } from '#test/support/process.ts';
import { startRawUpstream, startUpstream, startUpstreams } from '#test/support/upstream.ts';

async function problem(response: Response): Promise<Record<string, unknown>> {
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const body = (await response.json()) as Record<string, unknown>;
  assert.equal(body['status'], response.status);
  assert.equal(body['request_id'], response.headers.get('x-request-id'));
  return body;
}

describe('with all upstreams down', () => {
  it('a request is refused within milliseconds, with the reason', async (t) => {
    const upstreams = await startUpstreams(t, ['red', 'blue', 'green']);
    const instance = await startInstance(t, upstreams);
    for (const upstream of upstreams) await upstream.kill();
    for (let i = 0; i < 5; i++) {
      const startMs = performance.now();
      const response = await fetch(instance.url);
      const ms = performance.now() - startMs;
      assert.equal(response.status, 503);
      assert.ok(ms < 500, `${ms} ms`);
      assert.match(response.headers.get('proxy-status') ?? '', /^signalbox; error=\w+$/);
      assert.equal(response.headers.get('retry-after'), '1');
      const body = await problem(response);
      assert.equal(typeof body['error'], 'string');
      assert.doesNotMatch(JSON.stringify(body), /127\.0\.0\.1|ECONN/);
    }
    for (const upstream of upstreams) await upstream.revive();
    await until('it serves again', async () => (await ask(instance.url)).status === 200);
  });
});

describe('an upstream', () => {
  it('that does not answer in time is a 504', async (t) => {
    const upstream = await startUpstream(t, 'mute', () => {});
    const instance = await startInstance(t, [upstream], {
      timeouts: { first_byte_ms: 200 },
      retry: { attempts: 1 },
    });
    const response = await fetch(instance.url);
    assert.equal(response.status, 504);
    assert.equal(response.headers.get('proxy-status'), 'signalbox; error=http_response_timeout');
    await problem(response);
  });

  it('that takes longer than an attempt may is left for the next one', async (t) => {
    const mute = await startUpstream(t, 'mute', () => {});
    const well = await startUpstream(t, 'well');
    const instance = await startInstance(t, [mute, well], { timeouts: { attempt_ms: 200 } });
    for (let i = 0; i < 2; i++) assert.equal((await ask(instance.url)).body, 'well');
  });

  it('that takes longer than the request may is a 504', async (t) => {
    const upstream = await startUpstream(t, 'mute', () => {});
    const instance = await startInstance(t, [upstream], { timeouts: { request_ms: 200 } });
    const response = await fetch(instance.url);
    assert.equal(response.status, 504);
  });

  it('that stalls in the middle is cut after the idle time', async (t) => {
    const upstream = await startUpstream(t, 'stuck', (_, response) => response.write('some'));
    const instance = await startInstance(t, [upstream], { timeouts: { idle_ms: 300 } });
    const { status, error } = await ask(instance.url);
    assert.equal(status, 200);
    assert.notEqual(error, '');
  });

  it('that speaks no HTTP is a 502', async (t) => {
    const raw = await startRawUpstream(t, (socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    const instance = await startInstance(t, [raw]);
    const response = await fetch(instance.url);
    assert.equal(response.status, 502);
    assert.match(
      response.headers.get('proxy-status') ?? '',
      /error=(http_protocol_error|connection_terminated)/,
    );
  });
});

describe('a route', () => {
  it('that does not exist is a 404, stamped like every answer', async (t) => {
    const upstreams = await startUpstreams(t, ['red']);
    const instance = await startInstance(t, upstreams, { routes: [{ path_prefix: '/api' }] });
    const response = await fetch(`${instance.url}/other`);
    assert.equal(response.status, 404);
    await problem(response);
    for (const name of ['x-request-id', 'x-response-time', 'x-proxy-by', 'via']) {
      assert.notEqual(response.headers.get(name), null, name);
    }
    assert.equal((await fetch(`${instance.url}/api/x`)).status, 200);
    assert.equal((await fetch(`${instance.url}/apix`)).status, 404);
  });

  it('is chosen by host, path and method, and has its own middleware', async (t) => {
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red && blue);
    const pool = (port: number) => ({ upstreams: [{ name: 'one', address: '127.0.0.1', port }] });
    const instance = await startInstance(t, [red], {
      pools: { blue: pool(blue.port) },
      middleware: { auth: { auth_type: 'bearer', valid_tokens: ['a-token-for-tests'] } },
      routes: [
        { path_prefix: '/open', auth: false },
        { path_prefix: '/open/closed' },
        { host: 'blue.example', auth: false, pool: 'blue' },
      ],
    });
    const status = async (path: string, host = 'x') =>
      (await ask(instance.url, { path, headers: { host } })).status;
    assert.equal(await status('/open'), 200);
    assert.equal(await status('/open/closed'), 401);
    assert.equal(await status('/open/../open/closed'), 401);
    assert.equal(await status('/open/%63losed'), 401);
    assert.equal(await status('/elsewhere'), 404);
    assert.equal((await ask(instance.url, { headers: { host: 'blue.example:80' } })).body, 'blue');
  });
});

describe('the health answer', () => {
  it('needs no credentials and no upstream', async (t) => {
    const instance = await startInstance(t, [{ name: 'gone', port: await freePort() }], {
      middleware: { auth: { auth_type: 'bearer', valid_tokens: ['a-token-for-tests'] } },
    });
    const response = await fetch(`${instance.url}/health`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { status: 'healthy' });
    assert.equal((await fetch(instance.url)).status, 401);
  });
});

describe('connections', () => {
  it('beyond the limit are told to come back, whichever worker they reach', async (t) => {
    const upstreams = await startUpstreams(t, ['red']);
    const instance = await startInstance(t, upstreams, { server: { workers: 4, max_connections: 20 } });
    const told: string[] = [];
    const open = Array.from({ length: 21 }, () => {
      const socket = connect(instance.port, '127.0.0.1').setEncoding('utf8');
      socket.on('data', (text: string) => told.push(text));
      return socket;
    });
    await until('one is refused', () => told.length > 0);
    const [refusal = ''] = told;
    assert.match(refusal, /^HTTP\/1\.1 503 /);
    assert.match(refusal, /retry-after: 1\r\n/i);
    assert.match(refusal, /connection: close\r\n/i);
    assert.match(refusal, /application\/problem\+json/);
    const kept = open.filter((socket) => !socket.destroyed && socket.bytesRead === 0);
    assert.equal(kept.length, 20);
    kept[0]?.destroy();
    await until(
      'there is room again',
      async () => (await ask(instance.url, { path: '/health' })).status === 200,
    );
    for (const socket of kept) socket.destroy();
  });
});
