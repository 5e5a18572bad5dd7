import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { until } from '#test/support/process.ts';
import { HEAD, onRequest, SWITCH, THROUGH } from './support.ts';

for (const { name, attemptAt } of THROUGH) {
  describe(`any upstream, and any moment to let go, through ${name}`, () => {
    const pieces = [
      'HTTP/1.1 ',
      '200 OK',
      '304 X',
      '101 X',
      '103 X',
      '\r\n',
      '\r\n\r\n',
      'Content-Length: 3\r\n',
      'abc',
    ];
    pieces.push(
      'Transfer-Encoding: chunked\r\n',
      '3\r\nabc\r\n',
      '0\r\n\r\n',
      'Connection: Upgrade\r\nUpgrade: x\r\n',
      '\0',
    );
    pieces.push(
      SWITCH,
      `${HEAD}Content-Length: 3\r\n\r\n`,
      `${HEAD}\r\n`,
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n`,
    );
    const scene = fc.record({
      says: fc.array(fc.constantFrom(...pieces), { maxLength: 6 }),
      end: fc.constantFrom('end', 'resetAndDestroy', 'stay'),
      upgrade: fc.constantFrom(null, 'x'),
      isDelivered: fc.boolean(),
      releaseAfterEvents: fc.nat(4),
    });

    it('leave an attempt that was settled once and told of one end at most', async (t) => {
      await fc.assert(
        fc.asyncProperty(scene, async ({ says, end, upgrade, isDelivered, releaseAfterEvents }) => {
          const upstream = onRequest((socket) => {
            socket.write(says.join(''), () => end !== 'stay' && setImmediate(() => socket[end]()));
          });
          const { attempt, events, pool } = await attemptAt(t, {
            upstream,
            isDelivered,
            options: { upgrade },
          });
          await until('it has come so far', () => events.length >= releaseAfterEvents, 15).catch(() => {});
          attempt.release();
          const told = [...events];
          assert.equal(told.filter((event) => event === 'settled').length, 1, `${told}`);
          assert.ok(told.filter((event) => /^(?:end|fail)/.test(event)).length <= 1, `${told}`);
          await pool.destroy();
          assert.deepEqual(events, told);
        }),
        { seed: 10, numRuns: 150 },
      );
    });
  });
}
