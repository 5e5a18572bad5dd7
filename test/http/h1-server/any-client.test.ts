import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { until } from '#test/support/process.ts';
import { requestOf } from '#test/support/raw-client.ts';
import { answer, serve } from './scene.ts';

/** What a client may send, and what the test answers it with: its target, and its body as it was received. */
const message = fc.oneof(
  fc.record({ kind: fc.constant('none' as const), body: fc.constant('') }),
  fc.record({
    kind: fc.constant('length' as const),
    body: fc.string({ maxLength: 200, unit: 'binary-ascii' }),
  }),
  fc.record({
    kind: fc.constant('chunked' as const),
    body: fc.string({ maxLength: 200, unit: 'binary-ascii' }),
  }),
);

function bytesOf({ kind, body }: { kind: string; body: string }, nth: number): string {
  if (kind === 'none') return requestOf(`GET /${nth}`);
  if (kind === 'length') return `${requestOf(`POST /${nth}`, `Content-Length: ${body.length}`)}${body}`;
  const half = body.length >> 1;
  const chunks = [body.slice(0, half), body.slice(half)].filter((chunk) => chunk !== '');
  const coded = chunks.map((chunk) => `${chunk.length.toString(16)};x="y"\r\n${chunk}\r\n`);
  return `${requestOf(`PUT /${nth}`, 'Transfer-Encoding: chunked')}${coded.join('')}0\r\n\r\n`;
}

describe('any client', () => {
  it('is answered in order with what it sent, however it is cut into pieces', async (t) => {
    const { dial } = await serve(t, async (arrival) => {
      let body = arrival.wholeBody?.toString('latin1') ?? '';
      arrival.body?.setEncoding('latin1').on('data', (text: string) => {
        body += text;
      });
      if (arrival.body !== null) await once(arrival.body, 'end');
      answer(arrival, `<${arrival.target}:${Buffer.from(body, 'latin1').toString('hex')}>`);
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(300), { maxLength: 12 }),
        fc.boolean(),
        async (messages, cuts, isHalfClosing) => {
          const client = dial();
          let rest = messages.map(bytesOf).join('');
          for (const cut of cuts) {
            client.say(rest.slice(0, cut));
            rest = rest.slice(cut);
            await new Promise(setImmediate);
          }
          client.say(rest);
          if (isHalfClosing) client.socket.end();
          const expected = messages.map(
            ({ body }, nth) => `</${nth}:${Buffer.from(body, 'latin1').toString('hex')}>`,
          );
          await until('all are answered', () => client.received.includes(expected.at(-1) ?? ''));
          assert.deepEqual(client.received.match(/<[^>]*>/g), expected);
          if (isHalfClosing) await client.ended();
          client.socket.destroy();
        },
      ),
      { seed: 11, numRuns: 150 },
    );
  });
});
