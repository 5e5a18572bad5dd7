import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { Fields } from '#core/fields.ts';
import { chunkHead, lastChunk, responseHead } from '#http/h1/write-head.ts';
import { bytesOf, cut, places } from '#test/http/h1/pieces.ts';
import { startRawUpstream } from '#test/support/upstream.ts';
import { OK, send, TRANSPORTS, transportTo } from './subject.ts';

const bytes = (maxLength: number) =>
  fc.array(fc.nat(255), { maxLength }).map((codes) => String.fromCharCode(...codes));
const name = fc.stringMatching(/^X-[A-Za-z0-9_-]{1,6}$/);
const value = fc.stringMatching(/^[!-~]{0,8}$/);
const fields = fc.array(fc.tuple(name, value), { maxLength: 4 }).map((pairs) => pairs.flat());

/** Any answer that is one, and the events that it makes. */
const answer = fc
  .record({
    informational: fc.array(fc.constantFrom(102, 103), { maxLength: 2 }),
    status: fc.constantFrom(200, 404, 599, 999, 204, 304),
    method: fc.constantFrom('GET', 'GET', 'HEAD'),
    reason: value,
    fields,
    trailers: fields,
    data: fc.array(bytes(30), { maxLength: 4 }),
    framing: fc.constantFrom('length', 'chunked', 'until_close'),
  })
  .map(({ informational, status, method, reason, fields, trailers, data, framing }) => {
    const hasBody = method !== 'HEAD' && status !== 204 && status !== 304;
    const body = hasBody ? data.join('') : '';
    const framed = {
      length: ['Content-Length', `${body.length}`],
      chunked: ['Transfer-Encoding', 'chunked'],
      until_close: [],
    }[framing];
    const chunks = data
      .filter((chunk) => chunk !== '')
      .map((chunk) => `${chunkHead(chunk.length)}${chunk}\r\n`);
    const written = framing === 'chunked' ? chunks.join('') + lastChunk(trailers) : body;
    const hints = informational.map((hint) => responseHead(hint, 'Hint', Fields.of(['X-Hint', '1'])));
    return {
      method,
      text: `${hints.join('')}${responseHead(status, reason, Fields.of([...fields, ...framed]))}${hasBody ? written : ''}`,
      isWholeByItself: framing !== 'until_close' || !hasBody,
      events: ['start', ...informational.map((hint) => `head ${hint}`), `head ${status}`, 'end'],
      headers: [...fields, ...framed],
      trailers: hasBody && framing === 'chunked' ? trailers : [],
      body,
    };
  });

async function write(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  socket.setNoDelay(true);
  for (const piece of pieces) {
    if (piece.length > 0) socket.write(piece);
    await turn();
  }
}

for (const name of TRANSPORTS) {
  describe(`any answer through ${name}`, () => {
    it('is heard the same, in whatever pieces it comes', async (t) => {
      let act: (socket: Socket) => void = () => {};
      const { port } = await startRawUpstream(t, (socket) => socket.on('data', () => act(socket)));
      const transport = transportTo(t, name, { port });
      await fc.assert(
        fc.asyncProperty(answer, places, async (answer, places) => {
          act = async (socket) => {
            await write(socket, cut(bytesOf(answer.text), places));
            if (!answer.isWholeByItself) socket.end();
          };
          const recorder = await send(transport, { method: answer.method }).over();
          assert.deepEqual(
            recorder.events.filter((event) => !event.startsWith('data')),
            answer.events,
          );
          assert.equal(recorder.data, answer.body);
          assert.deepEqual(recorder.trailers, answer.trailers);
          assert.deepEqual(recorder.heads.at(-1)?.headers, answer.headers);
        }),
        { numRuns: 150 },
      );
    });
  });
}

describe('any malformed answer through h1', () => {
  // undici takes some of these for answers, see faults.test.ts; what is left over then meets the next request.
  const strange = fc.constantFrom(0, 9, 10, 13, 32, 48, 49, 58, 255);
  const changes = fc.array(fc.tuple(fc.nat(400), strange), { minLength: 1, maxLength: 4 });

  it('ends, once, and nothing of it is heard in the next one', async (t) => {
    let act: (socket: Socket) => void = () => {};
    const { port } = await startRawUpstream(t, (socket) => socket.on('data', () => act(socket)));
    const transport = transportTo(t, 'h1', { port });
    await fc.assert(
      fc.asyncProperty(answer, changes, fc.nat(400), async ({ text, method }, changes, extra) => {
        const said = bytesOf(text + text.slice(0, extra));
        for (const [at, byte] of changes) said[at % said.length] = byte;
        let sockets = 0;
        act = (socket) => {
          if (sockets++ > 0) socket.write(`${OK}Content-Length: 4\r\n\r\nnext`);
          // It ends a little later, in case that what it said is not whole.
          else socket.write(said, () => void turn().then(() => turn().then(() => socket.end())));
        };
        const first = await send(transport, { method }).over();
        const ends = first.events.filter((event) => /^(?:end|fail)/.test(event));
        assert.equal(ends.length, 1, `${first.events}`);
        const next = await send(transport).over();
        // The upstream may close the connection before it sees the second request.
        if (next.error === null) assert.deepEqual(next.events, ['start', 'head 200', 'data next', 'end']);
        else assert.deepEqual(next.events, ['start', 'fail upstream_closed']);
      }),
      { numRuns: 400 },
    );
  });
});
