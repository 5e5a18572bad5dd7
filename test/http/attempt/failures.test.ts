import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { Fields } from '#core/fields.ts';
import { until } from '#test/support/process.ts';
import { HEAD, onRequest, SWITCH, saying, sayingAndClosing, sayingAndResetting, THROUGH } from './support.ts';

for (const { name, attemptAt } of THROUGH) {
  describe(`an upstream that fails before its head is whole, through ${name}`, { concurrency: true }, () => {
    const failures: Record<string, [upstream: (socket: Socket) => void, cause: string]> = {
      'closes at once': [(socket) => void socket.destroy(), 'upstream_closed'],
      'ends at once': [(socket) => void socket.end(), 'upstream_closed'],
      'closes on the request': [onRequest((socket) => void socket.destroy()), 'upstream_closed'],
      'resets on the request': [onRequest((socket) => void socket.resetAndDestroy()), 'upstream_closed'],
      'closes within its head': [sayingAndClosing(`${HEAD}Content-Le`), 'upstream_closed'],
      'closes after an early hint': [sayingAndClosing('HTTP/1.1 103 Early Hints\r\n\r\n'), 'upstream_closed'],
      'speaks another protocol': [saying('SSH-2.0-OpenSSH_9.9\r\n'), 'upstream_protocol_error'],
      'speaks before it is asked': [
        (socket) => void socket.write('220 mail ready\r\n'),
        'upstream_protocol_error',
      ],
      'answers as HTTP/0.9': [sayingAndClosing('<html>'), 'upstream_protocol_error'],
      'sends a control character': [saying(`${HEAD}X: a\x01b\r\n\r\n`), 'upstream_protocol_error'],
      'folds a header': [saying(`${HEAD}X: a\r\n b\r\n\r\n`), 'upstream_protocol_error'],
      'ends its lines with LF only': [
        saying('HTTP/1.1 200 OK\nContent-Length: 0\n\n'),
        'upstream_protocol_error',
      ],
      'sends a name with a space': [saying(`${HEAD}X Y: a\r\n\r\n`), 'upstream_protocol_error'],
      'sends two lengths': [
        saying(`${HEAD}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`),
        'upstream_protocol_error',
      ],
      'sends a length and chunks': [
        saying(`${HEAD}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
        'upstream_protocol_error',
      ],
      'sends a coding that was not asked for': [
        saying(`${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
        'upstream_protocol_error',
      ],
      'sends an impossible status': [saying('HTTP/1.1 099 X\r\n\r\n'), 'upstream_protocol_error'],
      'switches protocols unasked': [saying(SWITCH), 'upstream_protocol_error'],
      'sends a head without end': [saying(`${HEAD}X: ${'a'.repeat(70_000)}`), 'upstream_protocol_error'],
    };
    for (const [how, [upstream, cause]] of Object.entries(failures)) {
      it(`${how}: ${cause}`, async (t) => {
        const { events, over } = await attemptAt(t, { upstream });
        await over();
        await until('it has failed', () => events.length > 2);
        assert.deepEqual(events.toSorted(), [`failed ${cause}`, 'settled', 'started']);
      });
    }

    it('never starts: a header that would break the request apart', async (t) => {
      for (const headers of [
        ['X', 'a\r\nb'],
        ['X\r\nY', 'a'],
        ['X', 'a\0'],
      ]) {
        const { events } = await attemptAt(t, {
          upstream: () => {},
          options: { headers: Fields.of(headers) },
        });
        assert.deepEqual(events.toSorted(), ['failed malformed_request', 'settled']);
      }
    });
  });
}

for (const { name, attemptAt } of THROUGH) {
  describe(`an upstream that fails within its body, through ${name}`, { concurrency: true }, () => {
    const failures: Record<string, (socket: Socket) => void> = {
      'ends too soon': sayingAndClosing(`${HEAD}Content-Length: 10\r\n\r\nabc`),
      'ends too soon, as it had said': sayingAndClosing(
        `${HEAD}Connection: close\r\nContent-Length: 9\r\n\r\nabc`,
      ),
      'ends within its chunks': sayingAndClosing(`${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nabc`),
      'ends between chunks, as it had said': sayingAndClosing(
        `${HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
      ),
      resets: sayingAndResetting(`${HEAD}Content-Length: 10\r\n\r\nabc`),
      'sends a bad chunk': saying(`${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n`),
    };
    for (const [how, upstream] of Object.entries(failures)) {
      it(`${how}: the sink is told once`, async (t) => {
        const { events, over, attempt } = await attemptAt(t, { upstream });
        await over();
        await until('the sink knows', () => events.includes('fail'));
        attempt.release();
        assert.deepEqual(events, ['started', 'answered 200', 'settled', 'fail']);
      });
    }

    it('before anybody took it: the sink is told when it comes', async (t) => {
      // It was told nothing, and its client waited for ever.
      const { events, over, deliver } = await attemptAt(t, {
        isDelivered: false,
        upstream: sayingAndResetting(`${HEAD}Content-Length: 10\r\n\r\nabc`),
      });
      await until('it is answered', () => events.includes('answered 200'));
      // h1 does not see what happens on a connection that it does not read.
      if (name === 'undici') await over();
      deliver();
      await over();
      assert.deepEqual(events, ['started', 'answered 200', 'settled', 'fail']);
    });
  });
}
