import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { Fields } from '#core/fields.ts';
import { Attempt } from '#http/attempt.ts';
import { send, transportTo } from '#test/http/transport/subject.ts';
import { until } from '#test/support/process.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { startRawUpstream } from '#test/support/upstream.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { HEAD, saying, THROUGH, TIMEOUTS } from './support.ts';

for (const { name, attemptAt } of THROUGH) {
  describe(`an attempt that is let go, through ${name}`, { concurrency: true }, () => {
    it('before it started is over at once, and never starts', async (t) => {
      let connections = 0;
      const { attempt, events, pool } = await attemptAt(t, {
        upstream: (socket) => {
          connections++;
          socket.on('data', () => socket.write(`${HEAD}Content-Length: 0\r\n\r\n`));
        },
      });
      attempt.release();
      assert.deepEqual(events, ['settled']);
      // What is asked next proves that the one before it is out of the way.
      await send(pool).over();
      assert.deepEqual(events, ['settled']);
      assert.equal(connections, 1);
    });

    it('in the queue of a busy pool is over at once, and never starts', async (t) => {
      const sockets: Socket[] = [];
      const { pool, events: busy } = await attemptAt(t, { upstream: (socket) => void sockets.push(socket) });
      await until('the connection is busy', () => busy.includes('started'));
      const events: string[] = [];
      const queued = new Attempt(sampleUpstream(), TIMEOUTS, new VirtualClock(), {
        informed() {},
        started: () => events.push('started'),
        answered: () => events.push('answered'),
        failed: () => events.push('failed'),
        settled: () => events.push('settled'),
      });
      pool.dispatch({ method: 'GET', path: '/', headers: new Fields() }, queued);
      queued.release();
      assert.deepEqual(events, ['settled']);
      sockets[0]?.write(`${HEAD}Content-Length: 0\r\n\r\n`);
      await until('the first is over', () => busy.includes('end'));
      // What is asked next proves that the one before it is out of the way.
      const next = send(pool);
      await until('the next one has started', () => next.events.includes('start'));
      assert.deepEqual(events, ['settled']);
    });

    for (const [when, upstream, events] of [
      ['while it waits for an answer', () => {}, ['started', 'settled']],
      [
        'within the body',
        saying(`${HEAD}Content-Length: 9\r\n\r\nabc`),
        ['started', 'answered 200', 'settled'],
      ],
    ] as const) {
      it(`${when} closes its connection, and tells nothing more`, async (t) => {
        const sockets: Socket[] = [];
        const told = await attemptAt(t, {
          upstream: (socket) => {
            sockets.push(socket.resume());
            upstream(socket);
          },
        });
        await until('it has come so far', () => told.events.length === events.length - 1);
        told.attempt.release();
        told.attempt.release();
        assert.deepEqual(told.events, events);
        await until(
          'the connection has ended',
          () => sockets[0]?.closed === true || sockets[0]?.readableEnded === true,
        );
        assert.deepEqual(told.events, events);
      });
    }

    it('before its answer was taken closes its connection', async (t) => {
      const sockets: Socket[] = [];
      const { events, attempt } = await attemptAt(t, {
        isDelivered: false,
        upstream: (socket) => {
          sockets.push(socket);
          saying(`${HEAD}Content-Length: 3\r\n\r\nabc`)(socket);
        },
      });
      await until('it is answered', () => events.includes('answered 200'));
      attempt.release();
      assert.deepEqual(events, ['started', 'answered 200', 'settled']);
      sockets[0]?.resume();
      await until('the connection has ended', () => sockets[0]?.closed === true);
    });

    it('after its end leaves the connection to the next one', async (t) => {
      let connections = 0;
      const { attempt, events, over, pool } = await attemptAt(t, {
        upstream: (socket) => {
          connections++;
          socket.on('data', () => socket.write(`${HEAD}Content-Length: 2\r\n\r\nok`));
        },
      });
      await over();
      attempt.release();
      attempt.resume();
      const next = send(pool);
      attempt.release();
      attempt.resume();
      assert.equal((await next.over()).data, 'ok');
      assert.deepEqual(events, ['started', 'answered 200', 'settled', 'end']);
      assert.equal(connections, 1);
    });

    it('from within its own answer is over', async (t) => {
      const { port } = await startRawUpstream(t, saying(`${HEAD}Content-Length: 3\r\n\r\nabc`));
      const pool = transportTo(t, name, { port });
      const events: string[] = [];
      const attempt = new Attempt(sampleUpstream(), TIMEOUTS, new VirtualClock(), {
        informed() {},
        started: () => events.push('started'),
        answered: (answer) => {
          events.push('answered');
          answer.release();
        },
        failed: () => events.push('failed'),
        settled: () => events.push('settled'),
      });
      pool.dispatch({ method: 'GET', path: '/', headers: new Fields() }, attempt);
      await until('it is over', () => events.includes('settled'));
      await send(pool).over();
      assert.deepEqual(events, ['started', 'answered', 'settled']);
    });
  });
}
