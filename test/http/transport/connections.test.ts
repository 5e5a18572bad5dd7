import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { Fields } from '#core/fields.ts';
import { WAITING_MAX } from '#http/waiting-flights.ts';
import { until } from '#test/support/process.ts';
import { startRawUpstream } from '#test/support/upstream.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { answering, EMPTY, OK, Recorder, send, TRANSPORTS, transportTo } from './subject.ts';

const WHOLE = ['start', 'head 200', 'end'];

/** An upstream that keeps its connections to look at. */
async function watched(t: TestContext, behave: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const { port } = await startRawUpstream(t, (socket) => {
    sockets.push(socket.resume());
    behave(socket);
  });
  return { port, sockets };
}

const ended = (socket: Socket | undefined) => socket?.readableEnded === true || socket?.closed === true;

for (const name of TRANSPORTS) {
  describe(`connections of ${name}`, { concurrency: true }, () => {
    it('carry one request after the other', async (t) => {
      const { port, sockets } = await watched(
        t,
        answering((index) => `${OK}Content-Length: 1\r\n\r\n${index}`),
      );
      const transport = transportTo(t, name, { port });
      for (let index = 0; index < 5; index++) assert.equal((await send(transport).over()).data, `${index}`);
      assert.equal(sockets.length, 1);
    });

    it('are no more than allowed, and serve in the order in which was asked', async (t) => {
      const { port, sockets } = await watched(
        t,
        answering(() => EMPTY),
      );
      const transport = transportTo(t, name, { port }, { connectionsMax: 3 });
      const recorders = Array.from({ length: 20 }, () => send(transport));
      for (const recorder of recorders) assert.deepEqual((await recorder.over()).events, WHOLE);
      assert.equal(sockets.length, 3);
    });

    it('carry no second request before the first is answered', async (t) => {
      let text = '';
      const { port, sockets } = await watched(t, (socket) =>
        socket.on('data', (bytes) => {
          text += bytes;
        }),
      );
      const transport = transportTo(t, name, { port });
      send(transport, { path: '/one' });
      send(transport, { path: '/two' });
      await until('the first has come', () => text.includes('/one'));
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.ok(!text.includes('/two'));
      sockets[0]?.write(EMPTY);
      await until('the second has come', () => text.includes('/two'));
    });

    const ending: Record<string, string> = {
      'the upstream says so': `${OK}Connection: close\r\nContent-Length: 0\r\n\r\n`,
      'the upstream says so among others': `${OK}Connection: x, Close\r\nContent-Length: 0\r\n\r\n`,
      'it is HTTP/1.0': 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n',
      'there are bytes beyond the answer': `${EMPTY}x`,
      'there is a whole answer beyond the answer': `${EMPTY}${EMPTY}`,
      'a 204 has a length': 'HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n',
      'a 304 has chunks': 'HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n',
    };
    for (const [why, answer] of Object.entries(ending)) {
      it(`are not used again when ${why}`, async (t) => {
        const { port, sockets } = await watched(
          t,
          answering(() => answer),
        );
        const transport = transportTo(t, name, { port });
        for (let times = 0; times < 2; times++) assert.equal((await send(transport).over()).error, null);
        assert.equal(sockets.length, 2);
        await until('the first has ended', () => ended(sockets[0]));
      });
    }

    it('of HTTP/1.0 are used again if they are meant to be', async (t) => {
      const { port, sockets } = await watched(
        t,
        answering(() => 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n'),
      );
      const transport = transportTo(t, name, { port });
      for (let times = 0; times < 2; times++) await send(transport).over();
      assert.equal(sockets.length, 1);
    });

    it('that the upstream closes while they are idle are replaced, and nobody notices', async (t) => {
      const { port, sockets } = await watched(
        t,
        answering(() => EMPTY),
      );
      const transport = transportTo(t, name, { port });
      for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
        await send(transport).over();
        const socket = sockets.at(-1);
        socket?.[end]();
        await until('it is closed', () => socket?.closed === true);
        await new Promise((resolve) => setTimeout(resolve, 10));
        assert.deepEqual((await send(transport).over()).events, WHOLE);
      }
      assert.equal(sockets.length, 4);
    });

    it('that say something while they are idle are closed', async (t) => {
      const { port, sockets } = await watched(
        t,
        answering(() => EMPTY),
      );
      const transport = transportTo(t, name, { port });
      await send(transport).over();
      sockets[0]?.write(EMPTY);
      await until('it is closed', () => ended(sockets[0]));
      assert.deepEqual((await send(transport).over()).events, WHOLE);
      assert.equal(sockets.length, 2);
    });

    it('that the upstream closes on their next request fail it as one that was sent', async (t) => {
      const { port } = await watched(t, (socket) => {
        let requests = 0;
        socket.on('data', () => (requests++ === 0 ? socket.write(EMPTY) : socket.destroy()));
      });
      const transport = transportTo(t, name, { port });
      await send(transport).over();
      assert.deepEqual((await send(transport).over()).events, ['start', 'fail upstream_closed']);
    });

    it('are free for the next one when a request is given up before it starts', async (t) => {
      const { port, sockets } = await watched(
        t,
        answering(() => EMPTY),
      );
      const transport = transportTo(t, name, { port });
      const refuse = () => {
        throw new Error('given up');
      };
      for (let times = 0; times < 2; times++) {
        const body = Readable.from([Buffer.from('x')]);
        const given = send(transport, { body, method: 'POST' }, { start: refuse });
        const next = send(transport);
        assert.deepEqual((await next.over()).events, WHOLE);
        assert.equal(given.error?.message, 'given up');
        assert.equal(given.events.length, 2);
        // undici leaves it to whoever gave it.
        assert.equal(body.destroyed, name === 'h1');
      }
      assert.equal(sockets.length, 1);
    });

    it('end when the transport is closed, after what is under way', async (t) => {
      const { port, sockets } = await watched(t, () => {});
      const transport = transportTo(t, name, { port });
      const recorders = [send(transport), send(transport)];
      await until('the first has started', () => sockets.length === 1);
      let isClosed = false;
      const closed = transport.close().then(() => {
        isClosed = true;
      });
      assert.equal(isClosed, false);
      await until('it is there', () => (sockets[0]?.bytesRead ?? 0) > 0);
      sockets[0]?.write(EMPTY);
      await recorders[0]?.over();
      const late = send(transport);
      await until('the second is there', () => recorders[1]?.events.includes('start') === true);
      sockets.at(-1)?.write(EMPTY);
      await closed;
      for (const recorder of recorders) assert.deepEqual(recorder.events, WHOLE);
      assert.deepEqual((await late.over()).events, ['fail upstream_unreachable']);
      await until('it has ended', () => sockets.every(ended));
    });

    it('end at once when the transport is destroyed', async (t) => {
      const { port, sockets } = await watched(t, () => {});
      const transport = transportTo(t, name, { port });
      const body = new Readable({ read() {} });
      const recorders = [send(transport), send(transport, { method: 'POST', body })];
      await until('the first has started', () => (sockets[0]?.bytesRead ?? 0) > 0);
      await transport.destroy();
      assert.deepEqual((await recorders[0]?.over())?.events, ['start', 'fail upstream_closed']);
      assert.deepEqual((await recorders[1]?.over())?.events, ['fail upstream_unreachable']);
      assert.equal(body.destroyed, name === 'h1');
      await until('it has ended', () => sockets.every(ended));
      assert.deepEqual((await send(transport).over()).events, ['fail upstream_unreachable']);
    });
  });
}

describe('connections of h1', () => {
  // undici counts in whole seconds with timers of its own, and lets an upstream make it wait longer.
  const idle = async (t: TestContext, answer: string, keepAliveMs = 4000) => {
    const { port, sockets } = await watched(
      t,
      answering(() => answer),
    );
    const clock = new VirtualClock();
    const transport = transportTo(t, 'h1', { port }, { keepAliveMs, connectionsMax: 8 }, clock);
    return { transport, sockets, clock };
  };
  const hinting = (seconds: number | string) =>
    `${OK}Keep-Alive: timeout=${seconds}\r\nContent-Length: 0\r\n\r\n`;

  it('are closed when they were idle for as long as they may be', async (t) => {
    const { transport, sockets, clock } = await idle(t, EMPTY);
    await send(transport).over();
    clock.advance(3999);
    await send(transport).over();
    clock.advance(3999);
    assert.equal(sockets.length, 1);
    assert.ok(!ended(sockets[0]));
    clock.advance(1);
    await until('it is closed', () => ended(sockets[0]));
    assert.equal(clock.timers, 0);
  });

  it('are closed before the upstream would, but never later than otherwise', async (t) => {
    for (const [seconds, livesMs] of [
      [3, 2000],
      [1, 500],
      [600, 4000],
      ['x', 4000],
    ] as const) {
      const { transport, sockets, clock } = await idle(t, hinting(seconds));
      await send(transport).over();
      clock.advance(livesMs - 1);
      await send(transport).over();
      assert.equal(sockets.length, 1);
      clock.advance(livesMs);
      await until('it is closed', () => ended(sockets[0]));
    }
  });

  it('are not kept where the upstream keeps none', async (t) => {
    const { transport, sockets, clock } = await idle(t, hinting(0));
    await send(transport).over();
    clock.advance(0);
    await until('it is closed', () => ended(sockets[0]));
  });

  it('expire where fewer would do: the last one used comes first', async (t) => {
    const { transport, sockets, clock } = await idle(t, EMPTY);
    await Promise.all([send(transport).over(), send(transport).over()]);
    assert.equal(sockets.length, 2);
    for (let times = 0; times < 5; times++) {
      clock.advance(1000);
      await send(transport).over();
    }
    await until('one is closed', () => sockets.filter(ended).length === 1);
    await send(transport).over();
    assert.equal(sockets.length, 2);
  });

  it('that cannot be made fail as many requests, and leave the others', async (t) => {
    const { port, sockets } = await watched(t, (socket) => socket.destroy());
    const transport = transportTo(t, 'h1', { port, address: '127.0.0.2' }, { connectionsMax: 2 });
    const recorders = Array.from({ length: 5 }, () => send(transport));
    for (const recorder of recorders)
      assert.deepEqual((await recorder.over()).events, ['fail upstream_unreachable']);
    assert.equal(sockets.length, 0);
  });

  it('are waited for by a bounded number, of whom those that gave up go first', async (t) => {
    const { port } = await watched(t, () => {});
    const transport = transportTo(t, 'h1', { port });
    const waiting = Array.from({ length: WAITING_MAX }, () => new Recorder());
    const request = { method: 'GET', path: '/', headers: new Fields() };
    for (const recorder of waiting) transport.dispatch(request, recorder);
    const last = send(transport);
    assert.deepEqual(last.events, ['fail upstream_unreachable']);
    for (const recorder of waiting.slice(1)) recorder.isGivenUp = true;
    assert.deepEqual(send(transport).events, []);
    await transport.destroy();
    assert.equal(waiting.filter((recorder) => recorder.isOver).length, 1);
  });
});
