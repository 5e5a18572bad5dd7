import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { joinTunnel } from '#http/tunnel.ts';
import { HeldBytes } from '#shared/held-bytes.ts';
import { until } from '#test/support/process.ts';

/** What a connection takes without asking to wait. */
const ROOM = 1024 * 1024;

/** Both ends of a real connection. */
async function pair(t: TestContext, allowHalfOpen: boolean): Promise<[near: Socket, far: Socket]> {
  const server = createServer({ allowHalfOpen, highWaterMark: ROOM }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const arrived = once(server, 'connection');
  const far = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  const [near] = (await arrived) as [Socket];
  for (const socket of [near, far]) socket.on('error', () => {});
  t.after(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [near, far];
}

/** A client and a server with a tunnel between them, as Signalbox has it after a 101. */
async function tunnel(t: TestContext, idleMs = 60_000) {
  // A client may end its side first, undici's connections may not.
  const [near, client] = await pair(t, true);
  const [far, server] = await pair(t, false);
  let ends = 0;
  const held = HeldBytes.create(1, 1_000_000);
  joinTunnel(near, far, idleMs, held, () => ends++);
  return { near, far, client, server, held, ends: () => ends };
}

describe('a tunnel', () => {
  it('passes what either side says', async (t) => {
    const { client, server, ends } = await tunnel(t);
    client.write('ping');
    assert.equal(`${(await once(server, 'data'))[0]}`, 'ping');
    server.write('pong');
    assert.equal(`${(await once(client, 'data'))[0]}`, 'pong');
    assert.equal(ends(), 0);
  });

  it('counts what waits for a side that does not read, until it has, or is gone', async (t) => {
    const { near, far, client, server, held } = await tunnel(t);
    client.pause();
    server.write(Buffer.alloc(16 * ROOM));
    await until('the tunnel holds something', () => held.total > 0);
    assert.equal(held.total, near.writableLength);
    client.resume();
    await until('it holds nothing', () => held.total === 0 && !far.isPaused());
    client.pause();
    server.write(Buffer.alloc(16 * ROOM));
    await until('the tunnel holds something again', () => held.total > 0);
    client.destroy();
    await until('it holds nothing any more', () => held.total === 0 && near.closed);
  });

  it('lets the server go on talking to a client that has ended', async (t) => {
    const { client, server, ends } = await tunnel(t);
    client.end('last words');
    assert.equal(`${(await once(server, 'data'))[0]}`, 'last words');
    await once(server, 'end');
    assert.equal(ends(), 0);
    server.end('answer');
    assert.equal(await text(client), 'answer');
    await until('it has ended', () => ends() === 1);
  });

  it('lets the client go on talking to a server that has ended', async (t) => {
    // The other direction was cut, with all that the client had still to say.
    const { client, server, ends } = await tunnel(t);
    const heard = once(client, 'data');
    server.end('that is all');
    assert.equal(`${(await heard)[0]}`, 'that is all');
    await once(client, 'end');
    client.end('so long');
    assert.equal(await text(server), 'so long');
    await until('it has ended', () => ends() === 1);
  });

  it('ends when both have ended, and frees both connections', async (t) => {
    const { near, far, client, server, ends } = await tunnel(t);
    const heard = once(client, 'data');
    server.end('bye');
    assert.equal(`${(await heard)[0]}`, 'bye');
    client.end();
    await until('it has ended', () => ends() === 1);
    assert.ok(near.destroyed && far.destroyed);
  });

  it('gives a client that reads slowly all that the server said before it ended', async (t) => {
    // The client's connection was closed with the server's, whatever was still waiting to be read.
    const { near, far, client, server, ends } = await tunnel(t);
    client.end();
    let sent = 0;
    while (near.writableLength === 0) {
      server.write(Buffer.alloc(65_536));
      sent += 65_536;
      while (near.bytesWritten < sent) await setImmediate();
    }
    server.resume().end();
    await once(far, 'close');
    assert.ok(near.writableLength > 0);
    assert.equal((await buffer(client)).length, sent);
    await until('it has ended', () => ends() === 1);
  });

  it('takes no more from one side than the other reads', async (t) => {
    const { far, client, server } = await tunnel(t);
    const megabyte = Buffer.alloc(1024 * 1024);
    for (let sent = 0; sent < 64; sent++) client.write(megabyte);
    let last = -1;
    await until('it stands still', async () => {
      const isStill = far.bytesWritten === last;
      last = far.bytesWritten;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return isStill && last > 0;
    });
    assert.ok(far.writableLength < 2 * ROOM);
    assert.ok(last < 48 * megabyte.length, `${last} bytes`);
    server.resume();
    await until('it goes on', () => far.bytesWritten > last);
  });

  for (const side of ['client', 'server'] as const) {
    it(`breaks for both when the ${side} resets`, async (t) => {
      const ends = await tunnel(t);
      const other = side === 'client' ? ends.server : ends.client;
      ends[side].resetAndDestroy();
      await until('the other side has noticed', () => other.closed || other.readableEnded);
      other.destroy();
      await until('it has ended', () => ends.near.destroyed && ends.far.destroyed && ends.ends() === 1);
    });

    it(`ends at once when the ${side} is gone already`, async (t) => {
      const [near] = await pair(t, true);
      const [far] = await pair(t, false);
      const gone = side === 'client' ? near : far;
      gone.destroy();
      await once(gone, 'close');
      let ends = 0;
      joinTunnel(near, far, 60_000, HeldBytes.create(1, 1_000_000), () => ends++);
      await until('it has ended', () => ends === 1);
      assert.ok(near.closed && far.closed);
    });
  }

  for (const side of ['client', 'server'] as const) {
    it(`ends when nothing has passed for its idle time after the ${side} has ended`, async (t) => {
      const { near, far, ends, ...sides } = await tunnel(t, 60);
      sides[side].end();
      await until('it has ended', () => ends() === 1);
      assert.ok(near.destroyed && far.destroyed);
    });
  }

  it('ends when both have ended, but the server does not read what the client said last', async (t) => {
    const { far, client, server, ends } = await tunnel(t, 300);
    server.pause();
    far.write(Buffer.alloc(16 * ROOM));
    server.end();
    client.resume().end();
    await until('it has ended', () => ends() === 1);
    assert.ok(far.destroyed);
  });

  it('ends when nothing has passed for its idle time, but not before', async (t) => {
    const { client, server, ends } = await tunnel(t, 60);
    for (let beats = 0; beats < 4; beats++) {
      server.write('beat');
      await once(client, 'data');
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    assert.equal(ends(), 0);
    await until('it has ended', () => ends() === 1);
    await until('both sides have noticed', () => client.readableEnded && server.readableEnded);
  });
});
