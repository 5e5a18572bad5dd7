import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { send } from '#test/http/transport/subject.ts';
import { until } from '#test/support/process.ts';
import { HEAD, onRequest, saying, sayingAndClosing, sayingAndResetting, THROUGH } from './support.ts';

for (const { name, attemptAt } of THROUGH) {
  describe(`an upstream that answers, through ${name}`, { concurrency: true }, () => {
    const whole = ['started', 'answered 200', 'settled', 'end'];
    const answers: Record<string, [upstream: (socket: Socket) => void, body: string]> = {
      'with a length': [saying(`${HEAD}Content-Length: 3\r\n\r\nabc`), 'abc'],
      'with chunks': [
        saying(`${HEAD}Transfer-Encoding: Chunked \r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n`),
        'abc',
      ],
      'until it closes': [sayingAndClosing(`${HEAD}\r\nabc`), 'abc'],
      'with trailers': [saying(`${HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n`), ''],
      'as HTTP/1.0': [sayingAndClosing('HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc'), 'abc'],
      'and then hints at a reset': [sayingAndResetting(`${HEAD}Content-Length: 3\r\n\r\nabc`), 'abc'],
      'with bytes beyond its length': [saying(`${HEAD}Content-Length: 3\r\n\r\nabc${HEAD}\r\n`), 'abc'],
      'after an early hint': [
        saying(`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${HEAD}Content-Length: 3\r\n\r\nabc`),
        'abc',
      ],
      'with nothing': [saying(`${HEAD}Content-Length: 0\r\n\r\n`), ''],
    };
    for (const [how, [upstream, body]] of Object.entries(answers)) {
      it(`${how} is heard whole`, async (t) => {
        const { events, data, over } = await attemptAt(t, { upstream });
        await over();
        assert.deepEqual(events, whole);
        assert.equal(data(), body);
      });

      it(`${how} is heard whole later, too`, async (t) => {
        // undici drops what it has when a connection breaks, h1 does not see that before it reads on.
        const isLost = name === 'undici' && how.includes('reset');
        const { events, data, deliver, answer, over } = await attemptAt(t, { upstream, isDelivered: false });
        await until('it is answered', () => events.includes('answered 200'));
        assert.equal(answer().status, 200);
        if (isLost) await over();
        deliver();
        await until('its body has ended', () => events.includes(isLost ? 'fail' : 'end'));
        assert.equal(data(), isLost ? '' : body);
        assert.equal(events.filter((event) => event === 'settled').length, 1);
      });
    }

    it('to HEAD, or with 304 or 204, has no body, whatever its length says', async (t) => {
      for (const [method, status] of [
        ['HEAD', 200],
        ['GET', 304],
        ['GET', 204],
      ] as const) {
        for (const isDelivered of [true, false]) {
          const upstream = saying(`HTTP/1.1 ${status} X\r\nContent-Length: 30\r\n\r\n`);
          const { events, deliver } = await attemptAt(t, { upstream, isDelivered, options: { method } });
          await until('it is answered', () => events.includes(`answered ${status}`));
          if (!isDelivered) deliver();
          await until('it has ended', () => events.includes('end'));
          assert.equal(events.filter((event) => event === 'settled').length, 1);
        }
      }
    });

    it('is heard with what it says before and behind', async (t) => {
      const hints = 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: \xe9\r\n\r\n';
      const chunked = `${HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: \xe9\r\n\r\n`;
      const { asides, over } = await attemptAt(t, { upstream: saying(hints + chunked) });
      await over();
      assert.deepEqual(asides, [[102], [103, 'Link', '\xe9'], ['X-Sum', '\xe9']]);
    });

    it('is heard byte for byte in its headers', async (t) => {
      const { answer, over } = await attemptAt(t, {
        upstream: saying(`${HEAD}x-B: 1\r\nX-b:\r\nX-B:  \xc3\xa9\xff\r\nContent-Length: 0\r\n\r\n`),
      });
      await over();
      assert.deepEqual(answer().headers.flat(), [
        'x-B',
        '1',
        'X-b',
        '',
        'X-B',
        '\xc3\xa9\xff',
        'Content-Length',
        '0',
      ]);
    });

    it('is heard without its reason if that is not plain text', async (t) => {
      // Such a phrase does not fit in an answer's head, and the answer was lost over it.
      const reasonOf = async (reason: string) => {
        const { answer, over } = await attemptAt(t, {
          upstream: saying(`HTTP/1.1 200 ${reason}\r\nContent-Length: 0\r\n\r\n`),
        });
        await over();
        return answer().reason;
      };
      assert.equal(await reasonOf('Just fine'), 'Just fine');
      assert.equal(await reasonOf('Tr\xe8s bien'), '');
      assert.equal(await reasonOf(''), '');
    });

    it('waits where the sink asks it to', async (t) => {
      const total = 4 * 1024 * 1024;
      let upstreamSocket: Socket | undefined;
      const { events, attempt } = await attemptAt(t, {
        isDelivered: false,
        upstream: onRequest((socket) => {
          upstreamSocket = socket;
          socket.write(`${HEAD}Content-Length: ${total}\r\n\r\n`);
          socket.write(Buffer.alloc(total));
        }),
      });
      await until('it is answered', () => events.includes('answered 200'));
      let received = 0;
      const data = (_: Buffer, from: number, to: number) => {
        received += to - from;
        return false;
      };
      attempt.deliver({ data, end: () => {}, fail: () => {} });
      await until('the first chunk is there', () => received > 0);
      const before = received;
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.equal(received, before);
      assert.ok(!upstreamSocket?.writableFinished);
      await until('all has come', () => {
        for (let chunks = 0; chunks < 32; chunks++) attempt.resume();
        return events.includes('settled');
      });
      assert.equal(received, total);
    });

    it('keeps its connection for the next request', async (t) => {
      let connections = 0;
      const { pool, over } = await attemptAt(t, {
        upstream: (socket) => {
          connections++;
          socket.on('data', () => socket.write(`${HEAD}Content-Length: 2\r\n\r\nok`));
        },
      });
      await over();
      const { data } = await send(pool).over();
      assert.equal(data, 'ok');
      assert.equal(connections, 1);
    });
  });
}
