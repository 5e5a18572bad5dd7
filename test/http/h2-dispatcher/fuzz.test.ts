import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { RESET_MS } from '#http/h2-dispatcher/session.ts';
import type { TransportRequest } from '#http/transport.ts';
import { until } from '#test/support/process.ts';
import { startRawUpstream } from '#test/support/upstream.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { send } from '../transport/subject.ts';
import { data, END_STREAM, frame, goaway, head, reset, settings, speaking, uint32 } from './frames.ts';
import { h2To } from './subject.ts';

const flags = fc.constantFrom(0, 0, END_STREAM, 0x4, 0x8, 0x20);
const stream = fc.constantFrom(0, 1, 1, 1, 2, 3, 99);
const code = fc.constantFrom(0, 1, 2, 7, 8, 11);
const bytes = fc.uint8Array({ maxLength: 40 }).map((all) => Buffer.from(all));
const type = fc.constantFrom(
  'data',
  'headers',
  'rst_stream',
  'settings',
  'push_promise',
  'ping',
  'goaway',
  'window_update',
  'continuation',
);

/** Frames that may follow each other, and some that never do. */
const anyFrame = fc.oneof(
  fc.tuple(flags, stream).map(([flags, stream]) => head(flags & END_STREAM, stream, ':status', '200')),
  fc.tuple(flags, stream).map(([flags, stream]) => head(flags & END_STREAM, stream, 'x-sum', '1')),
  fc.tuple(flags, stream).map(([flags, stream]) => data(flags & END_STREAM, stream, 'abc')),
  fc.tuple(stream, code).map(([stream, code]) => reset(stream, code)),
  fc.tuple(stream, code).map(([stream, code]) => goaway(stream, code)),
  fc.tuple(fc.nat(8), fc.nat(100_000)).map((pair) => settings(pair)),
  fc.tuple(stream, fc.nat()).map(([stream, more]) => frame('window_update', 0, stream, uint32(more))),
  fc.tuple(type, flags, stream, bytes).map((parts) => frame(...parts)),
  bytes,
);

/** A request that goes on for as long as it is let. */
function uploading(): Partial<TransportRequest> {
  const body = new Readable({ read() {} });
  body.push(Buffer.from('first'));
  return { method: 'POST', body, trailers: () => ['x-sum', '1'] };
}

describe('any frames of an upstream in HTTP/2', () => {
  it('end a request once, and the next one meets nothing of them', async (t) => {
    let act: (socket: Socket) => void = () => {};
    const { port } = await startRawUpstream(t, (socket) => act(socket));
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFrame, { minLength: 1, maxLength: 8 }),
        fc.nat(3),
        fc.boolean(),
        async (frames, pauses, hasBody) => {
          let connections = 0;
          act = speaking(async (socket, stream) => {
            if (connections++ > 0) {
              socket.write(
                Buffer.concat([head(0, stream, ':status', '200'), data(END_STREAM, stream, 'next')]),
              );
              return;
            }
            for (const each of frames) {
              socket.write(each);
              if (pauses > 0) await turn();
            }
            // It ends a little later, in case that nothing of this was an end.
            await turn();
            socket.end();
          });
          const clock = new VirtualClock();
          const transport = h2To(t, { port }, {}, clock);
          const first = send(transport, hasBody ? uploading() : {});
          await until('the request is over', () => first.isOver, 200).catch(() => {
            // As its deadlines would end it; and what it leaves behind has its own.
            first.controller?.abort(new Error('given up'));
            clock.advance(RESET_MS);
          });
          const { events } = first;
          assert.equal(events.filter((event) => /^(?:end|fail)/.test(event)).length, 1, `${events}`);
          const next = await send(transport).over();
          // Where it goes out on the same connection, that ends.
          if (next.error === null) assert.deepEqual(next.events, ['start', 'head 200', 'data next', 'end']);
          else assert.match(next.events.at(-1) ?? '', /^fail upstream_(?:closed|protocol_error)$/);
          await transport.destroy();
        },
      ),
      { numRuns: 150, endOnFailure: true },
    );
  });
});
