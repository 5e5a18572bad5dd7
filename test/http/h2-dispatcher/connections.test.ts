import assert from 'node:assert/strict';
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { H2Pool } from '#http/h2-dispatcher/h2-pool.ts';
import { PING_MS, RESET_MS, SILENT_MS, STREAMS_MAX } from '#http/h2-dispatcher/session.ts';
import { upstreamOpener } from '#http/upstream-connector.ts';
import { until } from '#test/support/process.ts';
import { sampleUpstreamConnections } from '#test/support/sample-settings.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { startRawUpstream } from '#test/support/upstream.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { type Recorder, send } from '../transport/subject.ts';
import {
  ACK,
  data,
  END_STREAM,
  frame,
  goaway,
  head,
  MAX_CONCURRENT_STREAMS,
  readFrames,
  settings,
  speaking,
} from './frames.ts';
import { CONNECT_MS, h2To, saying, startH2Upstream } from './subject.ts';

const WHOLE = ['start', 'head 200', 'data ok', 'end'];
const OK = (stream: ServerHttp2Stream) => {
  stream.respond({ ':status': 200 });
  stream.end('ok');
};
const isOver = (session: ServerHttp2Session | undefined) => session?.destroyed === true;

/** An upstream that keeps its streams until the test answers them. */
async function held(t: TestContext, maxConcurrentStreams?: number) {
  const streams: ServerHttp2Stream[] = [];
  const limits = maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams };
  const upstream = await startH2Upstream(t, (stream) => streams.push(stream), limits);
  return { ...upstream, streams };
}

describe('connections in HTTP/2', { concurrency: true }, () => {
  it('carry many requests at a time', async (t) => {
    const { port, sessions, streams } = await held(t);
    const transport = h2To(t, { port }, { connectionsMax: 8 });
    const recorders = Array.from({ length: STREAMS_MAX }, () => send(transport));
    await until('all have come', () => streams.length === STREAMS_MAX);
    for (const stream of streams.toReversed()) OK(stream);
    for (const recorder of recorders) assert.deepEqual((await recorder.over()).events, WHOLE);
    assert.equal(sessions.length, 1);
  });

  // One request used to open as many connections as there may be, since none of them would take it.
  it('are not more while the upstream takes nothing at all', async (t) => {
    const { port, sessions, streams } = await held(t, 0);
    const recorder = send(h2To(t, { port }, { connectionsMax: 8 }));
    await until('there is one', () => sessions.length > 0);
    sessions[0]?.settings({ maxConcurrentStreams: 1 });
    await until('it takes the request', () => streams.length > 0);
    for (const stream of streams) OK(stream);
    assert.deepEqual((await recorder.over()).events, WHOLE);
    assert.equal(sessions.length, 1);
  });

  it('are more when the first is full, and no more than allowed', async (t) => {
    const { port, sessions, streams } = await held(t, 3);
    const transport = h2To(t, { port }, { connectionsMax: 2 });
    const recorders = Array.from({ length: 20 }, () => send(transport));
    for (let answered = 0; answered < 20; answered++) {
      await until('the next has come', () => streams.length > answered);
      const open = streams.filter(({ closed }) => !closed).length;
      assert.ok(open <= 6, `${open} at a time`);
      OK(streams[answered] ?? assert.fail());
    }
    for (const recorder of recorders) assert.deepEqual((await recorder.over()).events, WHOLE);
    assert.equal(sessions.length, 2);
  });

  it('carry as many at a time as the upstream says meanwhile', async (t) => {
    const asked: number[] = [];
    const sockets: Socket[] = [];
    const { port } = await startRawUpstream(t, (socket) => {
      sockets.push(socket);
      speaking((_, stream) => asked.push(stream), settings([MAX_CONCURRENT_STREAMS, 1]))(socket);
    });
    const transport = h2To(t, { port });
    const recorders = [send(transport), send(transport), send(transport)];
    await until('the first has come', () => asked.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(asked, [1]);
    sockets[0]?.write(settings([MAX_CONCURRENT_STREAMS, 3]));
    await until('the others have come', () => asked.length === 3);
    for (const stream of asked) sockets[0]?.write(head(END_STREAM, stream, ':status', '200'));
    for (const recorder of recorders) assert.equal((await recorder.over()).events.at(-1), 'end');
  });

  it('that cannot be made fail all who wait for them', async (t) => {
    const { port } = await held(t);
    const transport = h2To(t, { port, address: '127.0.0.2' });
    const recorders = Array.from({ length: STREAMS_MAX + 1 }, () => send(transport));
    for (const recorder of recorders)
      assert.deepEqual((await recorder.over()).events, ['fail upstream_unreachable']);
  });

  it('that the upstream leaves serve what it has taken, and are replaced', async (t) => {
    const streams: ServerHttp2Stream[] = [];
    const { port, sessions } = await startH2Upstream(t, (stream, headers) => {
      if (headers[':path'] === '/held') streams.push(stream);
      else OK(stream);
    });
    const transport = h2To(t, { port }, { connectionsMax: 2 });
    const held = send(transport, { path: '/held' });
    await until('it has come', () => streams.length === 1);
    sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1);
    // One may meet the news half-way, and is given back.
    await until('others go elsewhere', async () => {
      await send(transport).over();
      return sessions.length === 2;
    });
    assert.deepEqual((await send(transport).over()).events, WHOLE);
    OK(streams[0] ?? assert.fail());
    assert.deepEqual((await held.over()).events, WHOLE);
    await until('it is over', () => isOver(sessions[0]));
    assert.equal(sessions.length, 2);
  });

  it('that the upstream leaves give back what it has not begun on, whatever it is', async (t) => {
    const asked: number[] = [];
    const { port } = await startRawUpstream(
      t,
      speaking((socket, stream) => {
        asked.push(stream);
        if (asked.length < 3) return;
        socket.write(
          Buffer.concat([goaway(1, constants.NGHTTP2_NO_ERROR), head(END_STREAM, 1, ':status', '200')]),
        );
      }),
    );
    const transport = h2To(t, { port });
    const body = new Readable({ read() {} });
    const recorders = [send(transport), send(transport, { method: 'POST', body }), send(transport)];
    for (const recorder of recorders) await recorder.over();
    assert.equal(recorders[0]?.events.at(-1), 'end');
    for (const { error } of recorders.slice(1))
      assert.ok(error !== null && 'code' in error && error.code === 'upstream_unprocessed');
    assert.ok(body.destroyed);
  });

  it('that the upstream leaves before a request was written give that back', async (t) => {
    const asked: number[] = [];
    const { port } = await startRawUpstream(
      t,
      speaking((socket, stream) => {
        asked.push(stream);
        const answer = [head(0, stream, ':status', '200'), data(0, stream, 'a'), goaway(2 ** 31 - 1, 0)];
        socket.write(Buffer.concat([...answer, data(END_STREAM, stream, 'b')]));
      }),
    );
    const transport = h2To(t, { port });
    let second: Recorder | null = null;
    const first = send(
      transport,
      {},
      {
        data() {
          second ??= send(transport);
        },
      },
    );
    assert.equal((await first.over()).data, 'ab');
    await until('there is a second one', () => second !== null);
    const { error } = await (second as unknown as Recorder).over();
    assert.ok(error !== null && 'code' in error && error.code === 'upstream_unprocessed', `${error}`);
    assert.deepEqual(asked, [1]);
  });

  it('that the upstream closes while they are idle are replaced, and nobody notices', async (t) => {
    const { port, sessions } = await startH2Upstream(t, saying('ok'));
    const transport = h2To(t, { port });
    for (const end of ['close', 'destroy'] as const) {
      assert.deepEqual((await send(transport).over()).events, WHOLE);
      sessions.at(-1)?.[end]();
      await until('it is over', () => isOver(sessions.at(-1)));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual((await send(transport).over()).events, WHOLE);
    assert.equal(sessions.length, 3);
  });

  it('are closed when they were idle for as long as they may be', async (t) => {
    const { port, sessions } = await startH2Upstream(t, saying('ok'));
    const clock = new VirtualClock();
    const transport = h2To(t, { port }, { keepAliveMs: 4000 }, clock);
    for (let times = 0; times < 2; times++) {
      await send(transport).over();
      await until('the stream is over', () => clock.timers === 1);
      clock.advance(3999);
    }
    assert.ok(!isOver(sessions[0]));
    clock.advance(1);
    await until('it is closed', () => isOver(sessions[0]));
    await until('no timer is left', () => clock.timers === 0);
    assert.equal(sessions.length, 1);
  });

  it('are not closed while something is under way, however long it takes', async (t) => {
    const { port, sessions, streams } = await held(t);
    const clock = new VirtualClock();
    const transport = h2To(t, { port }, { keepAliveMs: 4000 }, clock);
    const recorder = send(transport);
    await until('it has come', () => streams.length === 1);
    clock.advance(100_000);
    OK(streams[0] ?? assert.fail());
    assert.deepEqual((await recorder.over()).events, WHOLE);
    assert.equal(sessions.length, 1);
  });

  it('are free for the next one when a request is given up before it starts', async (t) => {
    const { port, sessions } = await startH2Upstream(t, saying('ok'), { maxConcurrentStreams: 1 });
    const transport = h2To(t, { port });
    const refuse = () => {
      throw new Error('given up');
    };
    for (let times = 0; times < 2; times++) {
      const body = Readable.from([Buffer.from('x')]);
      const given = send(transport, { body, method: 'POST' }, { start: refuse });
      assert.deepEqual((await send(transport).over()).events, WHOLE);
      assert.equal(given.error?.message, 'given up');
      assert.ok(body.destroyed);
    }
    assert.equal(sessions.length, 1);
  });

  it('end when the transport is closed, after what is under way', async (t) => {
    const { port, sessions, streams } = await held(t, 1);
    const transport = h2To(t, { port });
    const recorders = [send(transport), send(transport)];
    await until('the first has come', () => streams.length === 1);
    const closed = transport.close();
    assert.deepEqual((await send(transport).over()).events, ['fail upstream_unreachable']);
    OK(streams[0] ?? assert.fail());
    await until('the second has come', () => streams.length === 2);
    OK(streams[1] ?? assert.fail());
    await closed;
    for (const recorder of recorders) assert.deepEqual((await recorder.over()).events, WHOLE);
    await until('it has ended', () => sessions.every(isOver));
  });

  it('end at once when the transport is destroyed', async (t) => {
    const { port, sessions, streams } = await held(t, 1);
    const transport = h2To(t, { port });
    const body = new Readable({ read() {} });
    const recorders = [send(transport), send(transport, { method: 'POST', body })];
    await until('the first has come', () => streams.length === 1);
    await transport.destroy();
    assert.deepEqual((await recorders[0]?.over())?.events, ['start', 'fail upstream_closed']);
    assert.deepEqual((await recorders[1]?.over())?.events, ['fail upstream_unreachable']);
    assert.ok(body.destroyed);
    await until('it has ended', () => sessions.every(isOver));
  });

  it('that were destroyed while they were made are told of once', async (t) => {
    const { port } = await startRawUpstream(t, () => {});
    const clock = new VirtualClock();
    const transport = h2To(t, { port }, {}, clock);
    const recorder = send(transport);
    await transport.destroy();
    assert.deepEqual(recorder.events, ['fail upstream_unreachable']);
    await transport.close();
    await until('no timer is left', () => clock.timers === 0);
  });

  it('are made in time or not at all: settings included', async (t) => {
    let isGreeted = false;
    const { port } = await startRawUpstream(t, (socket) => {
      socket.on('data', () => {
        isGreeted = true;
      });
    });
    const clock = new VirtualClock();
    const recorder = send(h2To(t, { port }, {}, clock));
    await until('there is a connection', () => isGreeted);
    clock.advance(CONNECT_MS - 1);
    assert.deepEqual(recorder.events, []);
    clock.advance(1);
    assert.deepEqual((await recorder.over()).events, ['fail connect_timeout']);
  });

  it('are replaced before their streams are used up', async (t) => {
    const { port, sessions } = await startH2Upstream(t, saying('ok'));
    const clock = new VirtualClock();
    const open = upstreamOpener(sampleUpstream({ port, protocol: 'h2' }), CONNECT_MS, clock);
    const settings = sampleUpstreamConnections({ connectionsMax: 1 });
    const pool = new H2Pool({
      open,
      scheme: 'http',
      connectMs: CONNECT_MS,
      settings,
      clock,
      requestsMax: 2,
    });
    t.after(() => pool.destroy());
    for (let times = 0; times < 5; times++) assert.deepEqual((await send(pool).over()).events, WHOLE);
    assert.equal(sessions.length, 3);
  });
});

describe('a connection in HTTP/2 on which nothing is heard', { concurrency: true }, () => {
  /** An upstream that takes what it is sent, and answers PING if it is alive. */
  async function silent(t: TestContext, isAlive: boolean) {
    const pings: number[] = [];
    const sockets: Socket[] = [];
    const asked: number[] = [];
    const { port } = await startRawUpstream(t, (socket) => {
      const nth = sockets.push(socket);
      socket.write(settings());
      readFrames(socket, ({ type, flags, stream, payload }) => {
        if (type === 'settings' && flags !== ACK) socket.write(frame('settings', ACK, 0));
        if (type === 'headers') asked.push(stream);
        if (type !== 'ping' || flags === ACK) return;
        pings.push(nth);
        if (isAlive) socket.write(frame('ping', ACK, 0, payload));
      });
    });
    const clock = new VirtualClock();
    return { transport: h2To(t, { port }, { connectionsMax: 2 }, clock), clock, pings, sockets, asked };
  }

  it('is asked when a request is given up, and closed when it says nothing', async (t) => {
    const { transport, clock, pings, sockets, asked } = await silent(t, false);
    const recorders = [send(transport), send(transport)];
    await until('they have come', () => asked.length === 2);
    clock.advance(SILENT_MS);
    recorders[0]?.controller?.abort(new Error('too slow'));
    await until('it is asked', () => pings.length === 1);
    // Nothing new goes to it meanwhile.
    const next = send(transport);
    await until('there is another connection', () => sockets.length === 2 && asked.length === 3);
    clock.advance(PING_MS);
    assert.deepEqual((await recorders[1]?.over())?.events, ['start', 'fail upstream_closed']);
    await until('it is closed', () => sockets[0]?.closed === true);
    assert.ok(!next.isOver);
  });

  it('is kept when it is alive, and not asked again before it has answered a request', async (t) => {
    const { transport, clock, pings, sockets, asked } = await silent(t, true);
    for (let times = 0; times < 3; times++) {
      const recorder = send(transport);
      await until('it has come', () => asked.length === times + 1);
      clock.advance(SILENT_MS);
      recorder.controller?.abort(new Error('too slow'));
      await until('it was asked', () => pings.length === 1);
      // The answer to the PING comes before that to the next request.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    clock.advance(PING_MS);
    assert.equal(sockets.length, 1);
    assert.ok(!sockets[0]?.closed);
  });

  it('is closed when streams that were reset do not come to an end', async (t) => {
    // node:http2 hears nothing any more of a connection on which a malformed frame follows a GOAWAY.
    let sockets = 0;
    let hasLeft = false;
    const { port } = await startRawUpstream(t, (socket) => {
      const isFirst = sockets++ === 0;
      const malformed = frame('headers', 0x20, 1, Buffer.alloc(1));
      const leaving = Buffer.concat([goaway(2 ** 31 - 1, 0), malformed]);
      socket.setNoDelay(true).write(settings());
      readFrames(socket, ({ type, flags, stream }) => {
        if (type === 'settings' && flags !== ACK) socket.write(frame('settings', ACK, 0));
        if (type === 'headers') socket.write(isFirst ? leaving : head(END_STREAM, stream, ':status', '200'));
        if (type === 'goaway') hasLeft = true;
      });
    });
    const clock = new VirtualClock();
    const transport = h2To(t, { port }, {}, clock);
    const first = send(transport);
    await until('it is known', () => hasLeft);
    first.controller?.abort(new Error('too slow'));
    const next = send(transport);
    clock.advance(RESET_MS - 1);
    assert.equal(sockets, 1);
    clock.advance(1);
    assert.equal((await next.over()).events.at(-1), 'end');
    assert.equal(sockets, 2);
  });

  it('is not asked when a client leaves at once', async (t) => {
    const { transport, clock, pings, asked } = await silent(t, true);
    const recorder = send(transport);
    await until('it has come', () => asked.length === 1);
    clock.advance(SILENT_MS - 1);
    recorder.controller?.abort(new Error('left'));
    const next = send(transport);
    await until('the next has come', () => asked.length === 2);
    assert.deepEqual(pings, []);
    next.controller?.abort(new Error('left'));
  });
});
