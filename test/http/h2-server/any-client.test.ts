/** Whatever clients and upstreams do: no exception, nothing left behind, and no broken answer that looks whole. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Fields } from '#core/fields.ts';
import type { Arrival } from '#http/arrival.ts';
import { until } from '#test/support/process.ts';
import { encode, FLAG, FRAME, frameOf, get, post, type RawH2Client } from '#test/support/raw-h2-client.ts';
import { serve } from './scene.ts';

const SEED = 20_260;

type Act =
  | { readonly kind: 'inform' | 'invite' | 'write' | 'end' | 'cut' | 'turn' | 'read' }
  | { readonly kind: 'head'; readonly status: number; readonly length: number | null };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constantFrom('inform', 'invite', 'write', 'end', 'cut', 'turn', 'read') }),
  fc.record({
    kind: fc.constant('head' as const),
    status: fc.oneof(fc.constantFrom(200, 204, 205, 304, 999), fc.integer({ min: 200, max: 999 })),
    length: fc.option(fc.integer({ min: 0, max: 9 })),
  }),
);

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Does with a request as no step would; true if all of its answer was said. */
async function perform({ reply, body }: Arrival, acts: readonly Act[]): Promise<boolean> {
  let bytesLeft = Number.POSITIVE_INFINITY;
  let isEnded = false;
  const perKind: Record<Act['kind'], (it: Act) => unknown> = {
    turn: nextTurn,
    inform: () => reply.inform(103, Fields.of(['Link', '<a>'])),
    invite: () => reply.inviteBody(),
    read: () => body?.resume(),
    head: (it) => {
      if (it.kind !== 'head' || reply.status !== 0) return;
      reply.head(it.status, '', Fields.of(it.length === null ? [] : ['Content-Length', `${it.length}`]));
      bytesLeft = it.length ?? Number.POSITIVE_INFINITY;
    },
    write: () => {
      if (reply.status === 0 || isEnded) return;
      reply.write('abc');
      // Where there is no more to be said, nothing is.
      if (bytesLeft !== 0) bytesLeft -= 3;
    },
    end: () => {
      if (reply.status === 0) return;
      reply.end(['X-Sum', '1']);
      isEnded = true;
    },
    cut: () => reply.cut(),
  };
  for (const it of acts) await perKind[it.kind](it);
  if (!isEnded) reply.cut();
  return bytesLeft === 0 || (isEnded && bytesLeft === Number.POSITIVE_INFINITY);
}

describe('an answer over HTTP/2, whatever is done with it', () => {
  it('throws nothing, ends once, and looks whole only if it is', async (t) => {
    const { raw, arrived, arrivals, outcomes } = await serve(t);
    const client = raw();
    let stream = -1;
    await fc.assert(
      fc.asyncProperty(fc.array(act), fc.constantFrom('GET', 'HEAD', 'POST'), async (acts, method) => {
        stream += 2;
        const fields = encode([':method', method, ...get('/', 'expect', '100-continue').slice(2)]);
        const flags = method === 'POST' ? FLAG.endHeaders : FLAG.endHeaders | FLAG.endStream;
        client.send(FRAME.headers, flags, stream, fields);
        const arrival = await arrived(arrivals.length + 1);
        const before = outcomes.length;
        arrival.reply.onSent(() => arrival.ended('responded'));
        const isWhole = await perform(arrival, acts);
        await until('it has ended', () => outcomes.length > before);
        if (!isWhole && method !== 'HEAD' && ![204, 205, 304].includes(arrival.reply.status)) {
          const id = stream;
          await until('it is reset', () => client.heard(FRAME.reset, id).length > 0);
          const ends = client.frames.filter((frame) => {
            const mayEnd = frame.type === FRAME.data || frame.type === FRAME.headers;
            return mayEnd && frame.stream === id && (frame.flags & FLAG.endStream) !== 0;
          });
          assert.deepEqual(ends, []);
        }
        assert.equal(outcomes.length, before + 1);
      }),
      { seed: SEED, numRuns: 150 },
    );
    assert.equal(client.socket.destroyed, false);
  });
});

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(encode(get()), encode(post('/', 'content-length', '3')), encode(['trailer', '1'])),
  fc.constant(Buffer.from('abc')),
);

const frame = fc
  .tuple(
    fc.integer({ min: 0, max: 11 }),
    fc.constantFrom(0, 1, 4, 5, 8, 32, 255),
    fc.constantFrom(0, 1, 3, 5, 7),
    payload,
  )
  .map(([type, flags, stream, bytes]) => frameOf(type, flags, stream, bytes));

describe('a client that says any frames', () => {
  it('is served, or loses its connection, and leaves nothing behind', async (t) => {
    const { raw, dial, connections } = await serve(t, ({ reply, body, ended }) => {
      reply.onSent(() => ended('responded'));
      body?.resume();
      reply.head(200, 'OK', Fields.of(['Content-Length', '2']));
      reply.write('ok');
      reply.end();
    });
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 12 }), async (frames) => {
        const client: RawH2Client = raw();
        await client.hears(FRAME.settings);
        client.socket.write(Buffer.concat(frames));
        client.socket.end();
        await until('it has ended', () => client.socket.closed);
      }),
      { seed: SEED, numRuns: 100 },
    );
    const session = dial();
    const stream = session.request();
    const status = await new Promise((resolve) => stream.on('response', (head) => resolve(head[':status'])));
    assert.equal(status, 200);
    session.destroy();
    await connections.drain();
  });
});
