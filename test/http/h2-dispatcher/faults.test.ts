import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { INFORMATIONAL_MAX } from '#http/transport.ts';
import { until } from '#test/support/process.ts';
import { startRawUpstream } from '#test/support/upstream.ts';
import { type Recorder, send } from '../transport/subject.ts';
import {
  data,
  END_HEADERS,
  END_STREAM,
  fields,
  frame,
  goaway,
  head,
  reset,
  settings,
  speaking,
  uint32,
} from './frames.ts';
import { h2To } from './subject.ts';

type Behaviour = (socket: Socket) => void;

const CLOSED = 'fail upstream_closed';
const MALFORMED = 'fail upstream_protocol_error';
const OK = (stream: number) => head(0, stream, ':status', '200');

const NO_ERROR = 0;
const PROTOCOL_ERROR = 1;
const INTERNAL_ERROR = 2;
const REFUSED_STREAM = 7;
const CANCEL = 8;

const saying = (say: (stream: number) => readonly Buffer[]): Behaviour =>
  speaking((socket, stream) => void socket.write(Buffer.concat(say(stream))));
const sayingAndClosing = (say: (stream: number) => readonly Buffer[]): Behaviour =>
  speaking((socket, stream) => void socket.end(Buffer.concat(say(stream))));

/** Before anything was written. */
const NEVER_OPEN: Record<string, [behave: Behaviour, outcome: string]> = {
  'closes at once': [(socket) => void socket.destroy(), 'fail upstream_unreachable'],
  'ends at once': [(socket) => void socket.end(), 'fail upstream_unreachable'],
  'speaks HTTP/1.1': [
    (socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')),
    MALFORMED,
  ],
  'speaks another protocol': [(socket) => void socket.write('220 mail ready\r\n'), MALFORMED],
  'begins with another frame than SETTINGS': [
    (socket) => void socket.write(frame('ping', 0, 0, Buffer.alloc(8))),
    MALFORMED,
  ],
  'never says its settings': [() => {}, 'fail connect_timeout'],
};

/** Once the request is on its way, and before there is an answer. */
const BEFORE: Record<string, [behave: Behaviour, outcome: string]> = {
  'closes on the request': [speaking((socket) => void socket.destroy()), CLOSED],
  'resets the connection on the request': [speaking((socket) => void socket.resetAndDestroy()), CLOSED],
  'resets the stream with NO_ERROR': [saying((stream) => [reset(stream, NO_ERROR)]), CLOSED],
  'resets the stream with CANCEL': [saying((stream) => [reset(stream, CANCEL)]), CLOSED],
  'resets the stream with INTERNAL_ERROR': [saying((stream) => [reset(stream, INTERNAL_ERROR)]), CLOSED],
  'resets the stream with PROTOCOL_ERROR': [saying((stream) => [reset(stream, PROTOCOL_ERROR)]), MALFORMED],
  'refuses the stream': [
    saying((stream) => [reset(stream, REFUSED_STREAM)]),
    'fail upstream_closed, unprocessed',
  ],
  'leaves without the stream': [saying(() => [goaway(0, NO_ERROR)]), 'fail upstream_closed, unprocessed'],
  'leaves in anger without the stream': [
    saying(() => [goaway(0, INTERNAL_ERROR)]),
    'fail upstream_closed, unprocessed',
  ],
  'leaves in anger with the stream': [saying((stream) => [goaway(stream, INTERNAL_ERROR)]), MALFORMED],
  'leaves with the stream, and closes': [sayingAndClosing((stream) => [goaway(stream, NO_ERROR)]), CLOSED],
  'sends DATA before its head': [saying((stream) => [data(0, stream, 'abc')]), MALFORMED],
  'answers without a status': [saying((stream) => [head(END_STREAM, stream, 'x-a', 'b')]), MALFORMED],
  'answers with two': [
    saying((stream) => [head(END_STREAM, stream, ':status', '200', ':status', '200')]),
    MALFORMED,
  ],
  'answers with a status that is none': [
    saying((stream) => [head(END_STREAM, stream, ':status', 'ok')]),
    MALFORMED,
  ],
  'answers with the status 099': [
    saying((stream) => [head(END_STREAM, stream, ':status', '099')]),
    MALFORMED,
  ],
  'answers with 101': [saying((stream) => [head(0, stream, ':status', '101')]), MALFORMED],
  'answers with upper-case names': [
    saying((stream) => [head(END_STREAM, stream, ':status', '200', 'X-A', 'b')]),
    MALFORMED,
  ],
  'says Connection': [
    saying((stream) => [head(END_STREAM, stream, ':status', '200', 'connection', 'close')]),
    MALFORMED,
  ],
  'says Transfer-Encoding': [
    saying((stream) => [head(0, stream, ':status', '200', 'transfer-encoding', 'chunked')]),
    MALFORMED,
  ],
  'sends a pseudo-header field too late': [
    saying((stream) => [head(END_STREAM, stream, 'x-a', 'b', ':status', '200')]),
    MALFORMED,
  ],
  'sends a pseudo-header field of requests': [
    saying((stream) => [head(END_STREAM, stream, ':status', '200', ':path', '/')]),
    MALFORMED,
  ],
  'sends two lengths': [
    saying((stream) => [head(0, stream, ':status', '200', 'content-length', '1', 'content-length', '2')]),
    MALFORMED,
  ],
  'sends a length that is none': [
    saying((stream) => [head(0, stream, ':status', '200', 'content-length', '-1')]),
    MALFORMED,
  ],
  'sends a length and no body': [
    saying((stream) => [head(END_STREAM, stream, ':status', '200', 'content-length', '1')]),
    MALFORMED,
  ],
  'ends with an informational answer': [
    saying((stream) => [head(END_STREAM, stream, ':status', '103')]),
    MALFORMED,
  ],
  'sends a header longer than any may be': [
    saying((stream) => {
      const block = fields(
        ':status',
        '200',
        ...Array.from({ length: 20 }, (_, at) => [`x-${at}`, 'a'.repeat(4000)]).flat(),
      );
      const pieces = Array.from({ length: Math.ceil(block.length / 16_000) }, (_, at) =>
        block.subarray(at * 16_000, (at + 1) * 16_000),
      );
      return pieces.map((piece, at) =>
        frame(
          at === 0 ? 'headers' : 'continuation',
          at === pieces.length - 1 ? END_HEADERS : 0,
          stream,
          piece,
        ),
      );
    }),
    MALFORMED,
  ],
  'sends more headers than anybody needs': [
    saying((stream) => [
      head(END_STREAM, stream, ':status', '200', ...Array.from({ length: 1100 }, () => ['x', 'y']).flat()),
    ]),
    MALFORMED,
  ],
  'sends headers without end': [
    speaking((socket, stream) => {
      socket.write(frame('headers', 0, stream, fields(':status', '200')));
      const more = () =>
        void socket.write(
          frame('continuation', 0, stream, fields('x', 'y')),
          (error) => error ?? setImmediate(more),
        );
      more();
    }),
    MALFORMED,
  ],
  'interrupts its headers': [
    saying((stream) => [
      frame('headers', 0, stream, fields(':status', '200')),
      frame('ping', 0, 0, Buffer.alloc(8)),
    ]),
    MALFORMED,
  ],
  'sends headers that cannot be unpacked': [
    saying((stream) => [
      frame('headers', END_HEADERS, stream, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
    ]),
    MALFORMED,
  ],
  'promises what nobody asked for': [
    saying((stream) => [
      frame('push_promise', END_HEADERS, stream, Buffer.concat([uint32(2), fields(':method', 'GET')])),
    ]),
    MALFORMED,
  ],
  'sends a frame longer than it may be': [
    saying((stream) => [frame('data', 0, stream, Buffer.alloc(20_000))]),
    MALFORMED,
  ],
  'sends a malformed frame': [
    saying((stream) => [frame('rst_stream', 0, stream, Buffer.alloc(3))]),
    MALFORMED,
  ],
  'answers on a stream that is idle': [saying(() => [OK(99)]), MALFORMED],
  'opens more window than there is': [
    saying((stream) => [0, 1].map(() => frame('window_update', 0, stream, uint32(0x7fffffff)))),
    MALFORMED,
  ],
};

/** Once the head is there: the client knows that there is more. */
const WITHIN: Record<string, [behave: Behaviour, said: string, outcome: string]> = {
  'closes within its body': [
    sayingAndClosing((stream) => [OK(stream), data(0, stream, 'abc')]),
    'abc',
    CLOSED,
  ],
  'closes before its body': [sayingAndClosing((stream) => [OK(stream)]), '', CLOSED],
  'resets the stream with NO_ERROR within its body': [
    saying((stream) => [OK(stream), data(0, stream, 'abc'), reset(stream, NO_ERROR)]),
    'abc',
    CLOSED,
  ],
  'leaves in anger within its body': [
    saying((stream) => [OK(stream), data(0, stream, 'abc'), goaway(0, INTERNAL_ERROR)]),
    'abc',
    CLOSED,
  ],
  'sends less than its length': [
    saying((stream) => [
      head(0, stream, ':status', '200', 'content-length', '5'),
      data(END_STREAM, stream, 'abc'),
    ]),
    'abc',
    MALFORMED,
  ],
  'ends with trailers before its length': [
    saying((stream) => [
      head(0, stream, ':status', '200', 'content-length', '5'),
      data(0, stream, 'abc'),
      head(END_STREAM, stream, 'x', 'y'),
    ]),
    'abc',
    MALFORMED,
  ],
  'sends trailers that end nothing': [
    saying((stream) => [OK(stream), data(0, stream, 'abc'), head(0, stream, 'x', 'y')]),
    'abc',
    MALFORMED,
  ],
  'sends more trailers than anybody needs': [
    saying((stream) => [
      OK(stream),
      data(0, stream, 'abc'),
      frame('headers', END_STREAM, stream, fields('x', 'y'.repeat(10_000))),
      frame('continuation', END_HEADERS, stream, fields('z', 'y'.repeat(10_000))),
    ]),
    'abc',
    MALFORMED,
  ],
  'sends a pseudo-header field in its trailers': [
    saying((stream) => [OK(stream), data(0, stream, 'abc'), head(END_STREAM, stream, ':status', '200')]),
    'abc',
    MALFORMED,
  ],
};

/** The same, where what came just before is not told, since it would be of no use. */
const BREAKING: Record<string, Behaviour> = {
  'resets the stream with CANCEL within its body': saying((stream) => [
    OK(stream),
    data(0, stream, 'abc'),
    reset(stream, CANCEL),
  ]),
  'resets the stream with INTERNAL_ERROR within its body': saying((stream) => [
    OK(stream),
    data(0, stream, 'abc'),
    reset(stream, INTERNAL_ERROR),
  ]),
  'sends more than its length': saying((stream) => [
    head(0, stream, ':status', '200', 'content-length', '2'),
    data(END_STREAM, stream, 'abc'),
  ]),
  'sends a body to HEAD, or more than it may': saying((stream) => [
    OK(stream),
    frame('data', 0, stream, Buffer.alloc(17_000)),
  ]),
};

async function sendTo(t: TestContext, behave: Behaviour): Promise<Recorder> {
  const { port } = await startRawUpstream(t, behave);
  return send(h2To(t, { port }));
}

const outcomeOf = ({ events, error }: Recorder) => {
  const isUnprocessed = error !== null && 'code' in error && error.code === 'upstream_unprocessed';
  return `${events.at(-1)}${isUnprocessed ? ', unprocessed' : ''}`;
};

describe('an upstream in HTTP/2 that', { concurrency: true }, () => {
  for (const [how, [behave, outcome]] of Object.entries(NEVER_OPEN)) {
    it(`${how}: ${outcome}, and nothing was sent`, async (t) => {
      assert.deepEqual((await (await sendTo(t, behave)).over()).events, [outcome]);
    });
  }

  for (const [how, [behave, outcome]] of Object.entries(BEFORE)) {
    it(`${how}: ${outcome}`, async (t) => {
      const recorder = await (await sendTo(t, behave)).over();
      assert.equal(outcomeOf(recorder), outcome);
      assert.deepEqual(recorder.events.slice(0, -1), ['start']);
    });
  }

  for (const [how, [behave, said, outcome]] of Object.entries(WITHIN)) {
    it(`${how}: ${outcome}`, async (t) => {
      const recorder = await (await sendTo(t, behave)).over();
      assert.equal(recorder.events.at(-1), outcome);
      assert.ok(recorder.data === said || recorder.data === '', recorder.data);
      assert.ok(!recorder.events.includes('end'));
    });
  }

  for (const [how, behave] of Object.entries(BREAKING)) {
    it(`${how}: fails`, async (t) => {
      const recorder = await (await sendTo(t, behave)).over();
      assert.match(recorder.events.at(-1) ?? '', /^fail upstream_(?:closed|protocol_error)$/);
    });
  }

  it('sends informational answers without end: refused, in time', async (t) => {
    const behave = speaking((socket, stream) => {
      const more = () =>
        void socket.write(head(0, stream, ':status', '103'), (error) => error ?? setImmediate(more));
      more();
    });
    const recorder = await (await sendTo(t, behave)).over();
    assert.equal(recorder.events.at(-1), MALFORMED);
    assert.ok(recorder.events.length <= INFORMATIONAL_MAX + 2);
  });

  it('opens no window: the body waits, and an abort ends that', async (t) => {
    const noWindow = settings([4, 0]);
    let resets = 0;
    const { port } = await startRawUpstream(t, (socket) => {
      speaking(() => {}, noWindow)(socket);
      socket.on('data', (bytes: Buffer) => {
        if (bytes.includes(reset(1, CANCEL))) resets++;
      });
    });
    let taken = 0;
    const body = new Readable({
      read() {
        taken += 16_384;
        this.push(Buffer.alloc(16_384));
      },
    });
    const recorder = send(h2To(t, { port }), { method: 'POST', body });
    await until('it has begun', () => recorder.events.includes('start') && taken > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(taken < 256 * 1024, `${taken} bytes were taken`);
    recorder.controller?.abort(new Error('enough'));
    await until('it is reset', () => resets === 1);
    assert.ok(body.destroyed);
  });

  it('fails in whatever way, is asked again', async (t) => {
    const behaviours = [
      ...Object.entries(BEFORE).map(([how, [behave]]) => ({ how, behave })),
      ...Object.entries(WITHIN).map(([how, [behave]]) => ({ how, behave })),
      ...Object.entries(BREAKING).map(([how, behave]) => ({ how, behave })),
    ];
    for (const { how, behave } of behaviours) {
      let connections = 0;
      const answer = (stream: number) => [head(END_STREAM, stream, ':status', '200')];
      const { port } = await startRawUpstream(t, (socket) => {
        if (connections++ > 0) saying(answer)(socket);
        else behave(socket);
      });
      const transport = h2To(t, { port }, { connectionsMax: 2 });
      await send(transport).over();
      // The first connection may be as good as ever, and its upstream as bad.
      const { events } = await send(transport).over();
      const isWell = events.at(-1) === 'end' || connections === 1;
      assert.ok(isWell, `${how}: ${events}`);
    }
  });
});
