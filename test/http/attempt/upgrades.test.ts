import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { until } from '#test/support/process.ts';
import { onRequest, SWITCH, saying, sayingAndResetting, THROUGH } from './support.ts';

for (const { name, attemptAt } of THROUGH) {
  describe(`a switch of protocols, through ${name}`, { concurrency: true }, () => {
    const options = { upgrade: 'websocket' };

    it('hands over the connection, with what came along', async (t) => {
      const { answer, events, over } = await attemptAt(t, { upstream: saying(`${SWITCH}first`), options });
      await until('it is answered', () => events.includes('answered 101'));
      const { tunnel, headers } = answer();
      assert.ok(tunnel !== null);
      assert.deepEqual(headers.flat(), ['Connection', 'Upgrade', 'Upgrade', 'websocket']);
      assert.equal(`${(await once(tunnel, 'data'))[0]}`, 'first');
      assert.deepEqual(events, ['started', 'answered 101']);
      tunnel.destroy();
      await over();
      assert.deepEqual(events, ['started', 'answered 101', 'settled']);
    });

    for (const [how, act] of [
      ['closes', (socket: Socket) => void socket.end(SWITCH)],
      ['resets', sayingAndResetting(SWITCH)],
    ] as const) {
      it(`is settled when the upstream ${how} at once`, async (t) => {
        const { answer, events, over } = await attemptAt(t, {
          upstream: how === 'resets' ? act : onRequest(act),
          options,
        });
        await until('it is answered', () => events.includes('answered 101'));
        answer().tunnel?.resume();
        await over();
        assert.deepEqual(events, ['started', 'answered 101', 'settled']);
      });
    }

    it('that is let go closes the connection', async (t) => {
      const { attempt, events, over } = await attemptAt(t, { upstream: saying(SWITCH), options });
      await until('it is answered', () => events.includes('answered 101'));
      attempt.release();
      await over();
      assert.ok(attempt.tunnel?.destroyed);
      assert.deepEqual(events, ['started', 'answered 101', 'settled']);
    });

    it('may be declined with an ordinary answer', async (t) => {
      const upstream = saying('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
      const { answer, data, events, over } = await attemptAt(t, { upstream, options });
      await over();
      assert.deepEqual(events, ['started', 'answered 403', 'settled', 'end']);
      assert.equal(answer().tunnel, null);
      assert.equal(data(), 'no');
    });
  });
}
