import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { RequestBody } from '#http/request-body.ts';
import { until } from '#test/support/process.ts';
import {
  type AttemptAt,
  HEAD,
  onRequest,
  SWITCH,
  saying,
  sayingAndClosing,
  THROUGH,
  TIMEOUTS,
} from './support.ts';

const { firstByteMs, idleMs } = TIMEOUTS;

// What undici bounds by itself came up to a second late, or early where it was less than one.

for (const { name, attemptAt } of THROUGH) {
  describe(`the time for the first byte of an answer, through ${name}`, { concurrency: true }, () => {
    it('is over to the millisecond', async (t) => {
      const sockets: Socket[] = [];
      const { events, clock } = await attemptAt(t, {
        upstream: (socket) => void sockets.push(socket.resume()),
      });
      await until('the request has come', () => (sockets[0]?.bytesRead ?? 0) > 0);
      clock.advance(firstByteMs - 1);
      assert.deepEqual(events, ['started']);
      clock.advance(1);
      assert.deepEqual(events, ['started', 'settled', 'failed upstream_timeout']);
      await until('the connection has ended', () => sockets[0]?.closed === true);
      assert.equal(clock.timers, 0);
    });

    it('is over although a part of the head is there', async (t) => {
      const { events, clock } = await attemptAt(t, { upstream: saying(HEAD) });
      await until('it has started', () => events.includes('started'));
      clock.advance(firstByteMs);
      assert.equal(events.at(-1), 'failed upstream_timeout');
    });

    it('does not run while the client has to send, and begins when it has sent all', async (t) => {
      // The upstream was blamed for clients that paused for longer.
      const { told, source } = await upload(t, attemptAt, (socket) => void socket.resume());
      for (let piece = 0; piece < 3; piece++) {
        source.write('piece');
        told.clock.advance(firstByteMs * 2);
      }
      assert.deepEqual(told.events, ['started']);
      source.end();
      await until('all was read', () => source.readableEnded);
      told.clock.advance(firstByteMs - 1);
      assert.deepEqual(told.events, ['started']);
      told.clock.advance(1);
      assert.equal(told.events.at(-1), 'failed upstream_timeout');
    });

    it('runs while the upstream takes no more of the request', async (t) => {
      const { told, source } = await upload(t, attemptAt, (socket) => void socket.pause());
      const piece = Buffer.alloc(256 * 1024);
      await until('nobody reads any more', () => !source.write(piece) && source.isPaused());
      told.clock.advance(firstByteMs);
      await until('it has failed', () => told.events.includes('failed upstream_timeout'));
    });
  });
}

for (const { name, attemptAt } of THROUGH) {
  describe(`the time between two pieces of an answer, through ${name}`, { concurrency: true }, () => {
    const head = `${HEAD}Content-Length: 100\r\n\r\n`;

    it('is over to the millisecond, and begins anew with each piece', async (t) => {
      const sockets: Socket[] = [];
      const { events, clock, data } = await attemptAt(t, {
        upstream: onRequest((socket) => sockets.push(socket) && socket.write(head)),
      });
      await until('it is answered', () => events.includes('answered 200'));
      for (const pieces of ['a', 'aa', 'aaa']) {
        clock.advance(idleMs - 1);
        sockets[0]?.write('a');
        await until('the piece is there', () => data() === pieces);
        assert.equal(clock.timers, 1);
      }
      clock.advance(idleMs - 1);
      assert.deepEqual(events, ['started', 'answered 200']);
      clock.advance(1);
      assert.deepEqual(events, ['started', 'answered 200', 'settled', 'fail']);
      assert.equal(clock.timers, 0);
    });

    it('begins anew with each piece of the request, which may go on meanwhile', async (t) => {
      // An upload that was answered at its beginning was cut off, however fast it went on.
      const source = new PassThrough();
      const received: string[] = [];
      const { events, clock, data } = await attemptAt(t, {
        upstream: (socket) => {
          socket.on('data', (bytes) => received.push(`${bytes}`));
          socket.once('data', () => socket.write(head));
        },
        options: { method: 'POST' },
        body: () => source,
      });
      source.write('a');
      await until('it is answered', () => events.includes('answered 200'));
      for (const piece of ['b', 'c', 'd']) {
        clock.advance(idleMs - 1);
        source.write(piece);
        await until('the piece is there', () => received.join('').includes(`\r\n${piece}`));
      }
      assert.equal(data(), '');
      assert.deepEqual(events, ['started', 'answered 200']);
      clock.advance(idleMs);
      assert.equal(events.at(-1), 'fail');
    });

    it('does not run while nobody takes the answer', async (t) => {
      const { events, clock, deliver } = await attemptAt(t, { upstream: saying(head), isDelivered: false });
      await until('it is answered', () => events.includes('answered 200'));
      clock.advance(idleMs * 10);
      assert.deepEqual(events, ['started', 'answered 200']);
      deliver();
      clock.advance(idleMs);
      assert.deepEqual(events, ['started', 'answered 200', 'settled', 'fail']);
    });

    it('does not run while the client has to read', async (t) => {
      const { events, clock, data, attempt } = await attemptAt(t, {
        upstream: saying(`${head}abc`),
        takes: () => false,
      });
      await until('a piece is there', () => data() !== '');
      clock.advance(idleMs * 10);
      assert.deepEqual(events, ['started', 'answered 200']);
      attempt.resume();
      clock.advance(idleMs);
      assert.equal(events.at(-1), 'fail');
    });

    it('leaves no timer behind an answer, nor behind one that switches protocols', async (t) => {
      const whole = await attemptAt(t, { upstream: sayingAndClosing(`${HEAD}\r\nabc`) });
      await whole.over();
      assert.equal(whole.clock.timers, 0);

      const switched = await attemptAt(t, { upstream: saying(SWITCH), options: { upgrade: 'websocket' } });
      await until('it is answered', () => switched.events.includes('answered 101'));
      switched.clock.advance(idleMs * 10);
      assert.deepEqual(switched.events, ['started', 'answered 101']);
      switched.attempt.release();
      assert.equal(switched.clock.timers, 0);
    });
  });
}

/** An attempt whose client sends its body through `source`. */
async function upload(t: TestContext, attemptAt: AttemptAt, upstream: (socket: Socket) => void) {
  const source = new PassThrough();
  const hooks = { invite() {}, awaitClient() {} };
  const request = new RequestBody(
    source,
    Number.POSITIVE_INFINITY,
    { keptBytesMax: 0, bytesMax: null },
    hooks,
  );
  const told = await attemptAt(t, {
    upstream,
    options: { method: 'POST' },
    body: (watch) => request.open(watch),
  });
  source.write('begin');
  await until('it has started', () => told.events.includes('started'));
  return { told, source };
}
