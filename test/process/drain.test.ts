/** Upstreams that are drained, in maintenance or removed while they are at work. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { change, upstreamsOf } from '#test/support/cluster.ts';
import { startInstance, until } from '#test/support/process.ts';
import { startUpstream } from '#test/support/upstream.ts';

const DRAIN_MS = 300;

/** An instance whose only upstream has a request under way, its first one, which the test answers. */
async function atWork(t: TestContext, drainMs: number) {
  const begun = Promise.withResolvers<ServerResponse>();
  const red = await startUpstream(t, 'red', (_, response) => {
    if (red.requests === 1) begun.resolve(response);
    else response.end('red');
  });
  const instance = await startInstance(t, [red], { load_balancing: { drain_ms: drainMs } });
  const asked = fetch(instance.url);
  return { instance, asked, response: await begun.promise };
}

/** An instance whose only upstream has a WebSocket open. */
async function connected(t: TestContext) {
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(sockets, 'listening');
  t.after(() => sockets.close());
  const { port } = sockets.address() as { port: number };
  const instance = await startInstance(t, [{ name: 'red', port }], {
    load_balancing: { drain_ms: DRAIN_MS },
  });
  const client = new WebSocket(instance.url.replace('http', 'ws'));
  await once(client, 'open');
  return { instance, client };
}

describe('an upstream that is drained', () => {
  it('finishes what it has, and gets nothing new', async (t) => {
    const { instance, asked, response } = await atWork(t, 60_000);
    await change(instance, 'PATCH', '/api/upstreams/red', { state: 'drain' });
    await until('nothing goes to it', async () => (await fetch(instance.url)).status === 503);
    assert.equal((await upstreamsOf(instance))[0]?.in_flight, 1);
    response.end('in its own time');
    assert.equal(await (await asked).text(), 'in its own time');
    await until('it is free', async () => (await upstreamsOf(instance))[0]?.in_flight === 0);
  });

  it('is no more when it is ready again', async (t) => {
    const red = await startUpstream(t, 'red');
    const instance = await startInstance(t, [red]);
    await change(instance, 'PATCH', '/api/upstreams/red', { state: 'maintenance' });
    await until('nothing goes to it', async () => (await fetch(instance.url)).status === 503);
    await change(instance, 'PATCH', '/api/upstreams/red', { state: 'ready' });
    await until('it is asked', async () => (await fetch(instance.url)).status === 200);
  });

  for (const [what, method, body] of [
    ['drained', 'PATCH', { state: 'drain' }],
    ['put into maintenance', 'PATCH', { state: 'maintenance' }],
    ['removed', 'DELETE', null],
  ] as const) {
    it(`loses its WebSockets when it has been ${what} for long enough`, async (t) => {
      const { instance, client } = await connected(t);
      const closed = once(client, 'close');
      const startMs = performance.now();
      await change(instance, method, '/api/upstreams/red', body);
      await closed;
      assert.ok(performance.now() - startMs >= DRAIN_MS);
    });
  }

  it('has as long as the operator says', async (t) => {
    const { instance, client } = await connected(t);
    const closed = once(client, 'close');
    await change(instance, 'PATCH', '/api/upstreams/red', { state: 'drain', drain_deadline_ms: 0 });
    await closed;
  });

  it('loses a stream that has no end', async (t) => {
    const { instance, asked, response } = await atWork(t, DRAIN_MS);
    response.write('first');
    const reader = (await asked).body?.getReader();
    await reader?.read();
    await change(instance, 'DELETE', '/api/upstreams/red');
    await assert.rejects(async () => reader?.read());
  });
});
