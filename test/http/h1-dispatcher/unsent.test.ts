import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { codeOf } from '#core/errors.ts';
import { Fields } from '#core/fields.ts';
import { H1Pool } from '#http/h1-dispatcher/h1-pool.ts';
import type { TransportHandler } from '#http/transport.ts';
import { MemorySocket } from '#test/support/fuzz/memory-socket.ts';
import { sampleUpstreamConnections } from '#test/support/sample-settings.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

/** A pool with one connection, which has served a request and waits for the next. */
async function waiting() {
  const sockets: MemorySocket[] = [];
  const told: string[] = [];
  const pool = new H1Pool(
    (onread, done) => {
      const socket = new MemorySocket(onread);
      sockets.push(socket);
      queueMicrotask(() => done(null));
      return socket.asSocket;
    },
    sampleUpstreamConnections({ connectionsMax: 1 }),
    new VirtualClock(),
  );
  const handler: TransportHandler = {
    onRequestStart: () => {},
    onResponseStart: (_, status) => void told.push(`${status}`),
    onRequestUpgrade: () => {},
    onResponseData: () => {},
    onResponseEnd: () => void told.push('end'),
    onResponseError: (_, error) => void told.push(codeOf(error)),
  };
  const post = () =>
    pool.dispatch(
      { method: 'POST', path: '/', headers: Fields.of(['Content-Length', '3']), body: Buffer.from('abc') },
      handler,
    );
  post();
  await nextTurn();
  await nextTurn();
  const [socket = assert.fail()] = sockets;
  socket.receive(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  assert.deepEqual(told.splice(0), ['200', 'end']);
  const { written } = socket;
  return { pool, post, socket, told, writtenSince: () => socket.written.slice(written.length) };
}

describe('a request that waits for the end of the turn', () => {
  it('is written then', async () => {
    const { pool, post, told, writtenSince } = await waiting();
    assert.equal(post(), true);
    assert.equal(writtenSince(), '');
    await nextTurn();
    assert.match(writtenSince(), /^POST \/ HTTP\/1\.1\r\n(?:.+\r\n)+\r\nabc$/);
    assert.deepEqual(told, []);
    await pool.destroy();
  });

  it('was not begun on where the upstream ends the connection meanwhile, and is not written', async () => {
    const { pool, post, socket, told, writtenSince } = await waiting();
    post();
    socket.destroy();
    await nextTurn();
    await nextTurn();
    assert.deepEqual(told, ['upstream_unprocessed']);
    assert.equal(writtenSince(), '');
    await pool.destroy();
  });

  it('is not answered by what the upstream said before it, as many say that they waited for too long', async () => {
    const { pool, post, socket, told, writtenSince } = await waiting();
    post();
    socket.receive(Buffer.from('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n'));
    assert.deepEqual(told, ['upstream_unprocessed']);
    await nextTurn();
    assert.equal(writtenSince(), '');
    await pool.destroy();
  });
});
