import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { LINGER_MS, Lingering } from '#http/linger.ts';
import { EARLY_BYTES_MAX, UpgradeReply } from '#http/upgrade-reply.ts';
import { until } from '#test/support/process.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const NOTHING = Buffer.alloc(0);

/** All that comes until the other side ends; ours stays open. */
async function heard(stream: Duplex): Promise<string> {
  let all = '';
  stream.on('data', (chunk: Buffer | string) => {
    all += chunk.toString('latin1');
  });
  await once(stream.resume(), 'end');
  return all;
}

/** A client's connection, and the reply to the request that it has sent. */
async function scene(t: TestContext, head = NOTHING) {
  const clock = new VirtualClock();
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const arrived = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [socket] = (await arrived) as [Socket];
  for (const side of [client, socket]) side.on('error', () => {});
  t.after(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  const events: string[] = [];
  const reply = new UpgradeReply(socket, head, new Lingering(clock));
  reply.onSent(() => events.push('sent'));
  reply.onLeft(() => events.push('left'));
  return { clock, client, socket, reply, events };
}

describe('an upgrade that is declined', () => {
  for (const [what, status, headers, expected] of [
    ['of a known length', 200, ['Content-Length', '3'], 'Content-Length: 3\r\nConnection: close\r\n\r\nabc'],
    [
      'of an unknown length',
      200,
      [],
      'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n',
    ],
    ['without a body', 204, [], 'Connection: close\r\n\r\n'],
  ] as const) {
    it(`ends the connection after an answer ${what}`, async (t) => {
      const { client, reply, events } = await scene(t);
      reply.head(status, 'Fine', headers);
      if (status === 200) {
        reply.write('ab');
        reply.write('');
        reply.write(Buffer.from('c'));
      }
      reply.end();
      assert.equal(await heard(client), `HTTP/1.1 ${status} Fine\r\n${expected}`);
      assert.deepEqual(events, ['sent']);
    });
  }

  it('lets a client that goes on sending see the answer, for a moment', async (t) => {
    const { clock, client, socket, reply } = await scene(t);
    reply.head(403, 'Forbidden', ['Content-Length', '0']);
    reply.end();
    client.write('a'.repeat(4 * EARLY_BYTES_MAX));
    assert.match(await heard(client), /^HTTP\/1\.1 403 /);
    await until('it is dropped', () => socket.bytesRead === 4 * EARLY_BYTES_MAX);
    clock.advance(LINGER_MS - 1);
    assert.ok(!socket.destroyed);
    clock.advance(1);
    assert.ok(socket.destroyed);
  });

  it('never lets a line break into a header', async (t) => {
    const { reply } = await scene(t);
    for (const [name, value] of [
      ['X', 'a\r\nSet-Cookie: b'],
      ['X\r\nY', 'a'],
      ['X', 'a\0'],
      ['X Y', 'a'],
    ] as const)
      assert.throws(() => reply.head(200, 'OK', [name, value]), { code: 'answer_malformed' });
    assert.throws(() => reply.switchProtocols(['X', 'a\nb']), { code: 'answer_malformed' });
    assert.throws(() => reply.head(200, 'OK\nX: y', []), { code: 'answer_malformed' });
    assert.equal(reply.status, 0);
  });
});

describe('an upgrade', () => {
  it('hands over the connection with all that the client said ahead', async (t) => {
    const { client, socket, reply, events } = await scene(t, Buffer.from('one '));
    client.write('two');
    await until('it has come', () => socket.bytesRead === 3);
    const tunnel = reply.switchProtocols(['Upgrade', 'websocket', 'X-a', '\xff']) ?? assert.fail();
    client.end(' three');
    assert.equal(await heard(tunnel), 'one two three');
    tunnel.end('raw');
    assert.equal(
      await heard(client),
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-a: \xff\r\n\r\nraw',
    );
    assert.deepEqual(events, []);
  });

  it('reads no more than a bound ahead, and the rest when it is switched', async (t) => {
    const { client, socket, reply } = await scene(t);
    const bytes = 8 * 1024 * 1024;
    client.end('a'.repeat(bytes));
    await until('it stops', () => socket.isPaused());
    assert.ok(socket.bytesRead < 4 * EARLY_BYTES_MAX, `${socket.bytesRead} bytes`);
    const tunnel = reply.switchProtocols([]) ?? assert.fail();
    assert.equal((await heard(tunnel)).length, bytes);
  });

  for (const how of ['ends its side', 'resets'] as const) {
    it(`is over as soon as the client ${how}`, async (t) => {
      const { client, reply, events } = await scene(t);
      if (how === 'resets') client.resetAndDestroy();
      else client.end('bye');
      await until('it is noticed', () => events.length > 0);
      assert.ok(reply.isGone);
      assert.deepEqual(events, ['left']);
      assert.equal(reply.switchProtocols([]), null);
    });
  }
});
