import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { parseExposition, total } from '#test/support/exposition.ts';
import { ask } from '#test/support/load.ts';
import { startInstance, until } from '#test/support/process.ts';
import { RawClient, requestOf, statusesIn } from '#test/support/raw-client.ts';
import { startUpstream } from '#test/support/upstream.ts';

/** How long the system keeps the process from running, which is as if it had too much to do. */
const STOP_MS = 120;

const MEBIBYTE = 1024 * 1024;

describe('an instance that is behind with its work', () => {
  it('refuses new requests, finishes those under way, and is well again after', async (t) => {
    const held: ServerResponse[] = [];
    const upstream = await startUpstream(t, 'red', (request, response) => {
      if (request.url === '/held') held.push(response);
      else response.end('red');
    });
    const instance = await startInstance(t, [upstream], { server: { overload: { lag_ms: 10 } } });
    const underWay = ask(instance.url, { path: '/held' });
    await until('a request is under way', () => held.length === 1);

    let refused = 0;
    await until('some are refused', async () => {
      instance.child.kill('SIGSTOP');
      const asked = Array.from({ length: 10 }, () => ask(instance.url));
      await delay(STOP_MS);
      instance.child.kill('SIGCONT');
      const samples = await Promise.all(asked);
      for (const { status, body } of samples) {
        assert.ok(status === 200 || /more to do than it can/.test(body), `${status} ${body}`);
        if (status === 503) refused++;
      }
      return refused > 0;
    });
    held[0]?.end('in time');
    const { status, body } = await underWay;
    assert.deepEqual([status, body], [200, 'in time']);
    await until('it serves all again', async () => {
      const samples = await Promise.all(Array.from({ length: 10 }, () => ask(instance.url)));
      return samples.every(({ status }) => status === 200);
    });
  });
});

describe('an instance that holds as much for slow readers as it may', () => {
  it('refuses new requests, and serves again when they have left', async (t) => {
    const upstream = await startUpstream(t, 'red', (_, response) =>
      response.end(Buffer.alloc(64 * MEBIBYTE)),
    );
    const instance = await startInstance(t, [upstream], { server: { buffered_bytes_max: MEBIBYTE } });
    const slow = Array.from({ length: 64 }, () => {
      const client = RawClient.dial(t, instance.port);
      client.socket.pause();
      return client.say(requestOf('GET /'));
    });
    const statusOf = async () => {
      const client = RawClient.dial(t, instance.port).say(requestOf('GET /'));
      await client.hears('\r\n\r\n');
      client.socket.destroy();
      return statusesIn(client.received)[0];
    };
    await until('a request is refused', async () => (await statusOf()) === 503);
    assert.equal((await ask(instance.url, { path: '/health' })).status, 200);
    const exposition = parseExposition(await (await fetch(`${instance.admin}/metrics`)).text());
    assert.ok(total(exposition, 'signalbox_buffered_bytes') >= MEBIBYTE);
    assert.ok(total(exposition, 'signalbox_shed_total', { signalbox_reason: 'memory' }) > 0);
    for (const client of slow) client.socket.destroy();
    await until('requests are served', async () => (await statusOf()) === 200);
  });
});
