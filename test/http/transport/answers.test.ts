import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { TransportController } from '#http/transport.ts';
import { until } from '#test/support/process.ts';
import { startRawUpstream } from '#test/support/upstream.ts';
import {
  EMPTY,
  OK,
  onRequest,
  saying,
  sayingAndClosing,
  sayingAndResetting,
  send,
  sendTo,
  TRANSPORTS,
  transportTo,
} from './subject.ts';

const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

const ANSWERS: Record<string, [behave: (socket: Socket) => void, body: string]> = {
  'with a length': [saying(`${OK}Content-Length: 3\r\n\r\nabc`), 'abc'],
  'with a length of zero': [saying(EMPTY), ''],
  'with chunks': [saying(`${CHUNKED}1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n`), 'abc'],
  'until it closes': [sayingAndClosing(`${OK}\r\nabc`), 'abc'],
  'with an end and nothing before it': [sayingAndClosing(`${OK}\r\n`), ''],
  'as HTTP/1.0': [sayingAndClosing('HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc'), 'abc'],
  'as HTTP/1.0, until it closes': [sayingAndClosing('HTTP/1.0 200 OK\r\n\r\nabc'), 'abc'],
  'with close': [sayingAndClosing(`${OK}Connection: close\r\nContent-Length: 3\r\n\r\nabc`), 'abc'],
  'with close, which it does not do': [
    saying(`${OK}Connection: close\r\nContent-Length: 3\r\n\r\nabc`),
    'abc',
  ],
  'and resets after the end': [sayingAndResetting(`${OK}Content-Length: 3\r\n\r\nabc`), 'abc'],
  'with bytes beyond its length': [saying(`${OK}Content-Length: 3\r\n\r\nabc${EMPTY}`), 'abc'],
  'with bytes beyond its chunks': [saying(`${CHUNKED}3\r\nabc\r\n0\r\n\r\nrest`), 'abc'],
};

for (const name of TRANSPORTS) {
  describe(`an answer through ${name}`, { concurrency: true }, () => {
    for (const [how, [behave, body]] of Object.entries(ANSWERS)) {
      it(`${how} is heard whole`, async (t) => {
        const { events, data } = await (await sendTo(t, name, behave)).over();
        assert.deepEqual(
          events.filter((event) => !event.startsWith('data')),
          ['start', 'head 200', 'end'],
        );
        assert.equal(data, body);
      });

      it(`${how} is heard whole after a pause`, async (t) => {
        // undici drops what it has when a connection breaks, h1 does not see that before it reads on.
        if (name === 'undici' && how.includes('reset')) return;
        const recorder = await sendTo(t, name, behave, {}, { head: (controller) => controller.pause() });
        await until('the head is there', () => recorder.events.includes('head 200'));
        await new Promise((resolve) => setTimeout(resolve, 30));
        assert.equal(recorder.data, '');
        recorder.controller?.resume();
        assert.equal((await recorder.over()).data, body);
        assert.equal(recorder.error, null);
      });
    }

    it('to HEAD, or with 304 or 204, has no body, whatever it says of one', async (t) => {
      for (const [method, status] of [
        ['HEAD', 200],
        ['GET', 304],
        ['GET', 204],
      ] as const) {
        for (const says of ['', 'Content-Length: 30\r\n', 'Transfer-Encoding: chunked\r\n']) {
          const behave = saying(`HTTP/1.1 ${status} X\r\n${says}\r\n`);
          const { events } = await (await sendTo(t, name, behave, { method })).over();
          assert.deepEqual(events, ['start', `head ${status}`, 'end']);
        }
      }
    });

    it('is heard byte for byte in its head', async (t) => {
      const behave = saying(
        'HTTP/1.1 418 I am\r\nx-B: 1\r\nX-b:\r\nX-B: \xc3\xa9\xff\r\nContent-Length: 0\r\n\r\n',
      );
      const { heads } = await (await sendTo(t, name, behave)).over();
      const headers = ['x-B', '1', 'X-b', '', 'X-B', '\xc3\xa9\xff', 'Content-Length', '0'];
      assert.deepEqual(heads, [{ status: 418, reason: 'I am', headers }]);
    });

    it('may have trailers', async (t) => {
      const behave = saying(`${CHUNKED}1\r\na\r\n0\r\nX-Sum: 1\r\nx-sum: \xe9\r\n\r\n`);
      const { trailers } = await (await sendTo(t, name, behave)).over();
      assert.deepEqual(trailers, ['X-Sum', '1', 'x-sum', '\xe9']);
    });

    it('may follow informational ones', async (t) => {
      const hint = 'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n';
      const { events, heads } = await (
        await sendTo(t, name, saying(`${hint}HTTP/1.1 102 X\r\n\r\n${EMPTY}`))
      ).over();
      assert.deepEqual(events, ['start', 'head 103', 'head 102', 'head 200', 'end']);
      assert.deepEqual(heads[0]?.headers, ['Link', 'a']);
    });

    it('may follow a 100 that nobody asked for', async (t) => {
      // RFC 9110 §15.2 lets a client ignore it; undici takes it for a fault.
      const { events } = await (
        await sendTo(t, name, saying(`HTTP/1.1 100 Continue\r\n\r\n${EMPTY}`))
      ).over();
      const undici = ['start', 'fail upstream_protocol_error'];
      assert.deepEqual(events, name === 'undici' ? undici : ['start', 'head 200', 'end']);
    });

    it('is heard byte by byte as well', async (t) => {
      const text = `${CHUNKED}1\r\na\r\n2\r\nbc\r\n0\r\nX: y\r\n\r\n`;
      const behave = onRequest((socket) => {
        socket.setNoDelay(true);
        let at = 0;
        const next = () => at < text.length && socket.write(text[at++] ?? '', () => setImmediate(next));
        next();
      });
      const { events, trailers } = await (await sendTo(t, name, behave)).over();
      assert.deepEqual(events, ['start', 'head 200', 'data abc', 'end']);
      assert.deepEqual(trailers, ['X', 'y']);
    });

    it('waits where it is paused, and holds its upstream back', async (t) => {
      const total = 8 * 1024 * 1024;
      let upstream: Socket | undefined;
      const behave = onRequest((socket) => {
        upstream = socket;
        socket.write(`${OK}Content-Length: ${total}\r\n\r\n`);
        socket.write(Buffer.alloc(total));
      });
      const { port } = await startRawUpstream(t, behave);
      const recorder = send(transportTo(t, name, { port }), {}, { data: (controller) => controller.pause() });
      await until('there is data', () => recorder.bytes > 0);
      const before = recorder.bytes;
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.equal(recorder.bytes, before);
      assert.ok(upstream?.writableFinished === false);
      await until('all has come', () => {
        for (let times = 0; times < 32; times++) recorder.controller?.resume();
        return recorder.isOver;
      });
      assert.equal(recorder.bytes, total);
      assert.equal(recorder.events.at(-1), 'end');
    });

    it('goes on where it is resumed within its own data', async (t) => {
      const both = {
        data(controller: TransportController) {
          controller.pause();
          controller.resume();
        },
      };
      const behave = saying(`${CHUNKED}1\r\na\r\n1\r\nb\r\n0\r\n\r\n`);
      const recorder = await sendTo(t, name, behave, {}, both);
      assert.deepEqual((await recorder.over()).events, ['start', 'head 200', 'data ab', 'end']);
    });

    for (const [when, hook] of [
      ['at its start', 'start'],
      ['at its head', 'head'],
      ['within its data', 'data'],
    ] as const) {
      it(`that is given up ${when} closes its connection, and tells why once`, async (t) => {
        const sockets: Socket[] = [];
        const { port } = await startRawUpstream(t, (socket) => {
          sockets.push(socket.resume());
          saying(`${OK}Content-Length: 9\r\n\r\nabc`)(socket);
        });
        const reason = new Error('enough');
        const recorder = send(
          transportTo(t, name, { port }),
          {},
          { [hook]: (controller: TransportController) => controller.abort(reason) },
        );
        await recorder.over();
        assert.equal(recorder.error, reason);
        if (hook !== 'start') await until('it is closed', () => sockets[0]?.closed === true);
        assert.equal(recorder.events.filter((event) => /^(?:fail|end)/.test(event)).length, 1);
        assert.ok(
          !recorder.events
            .slice(recorder.events.findIndex((event) => event.startsWith(hook)) + 1)
            .some((event) => event.startsWith('data')),
        );
      });
    }

    for (const when of ['head', 'data'] as const) {
      it(`that its handler chokes on at its ${when} fails with that`, async (t) => {
        const choke = () => {
          throw new Error('choked');
        };
        const recorder = await sendTo(
          t,
          name,
          saying(`${OK}Content-Length: 3\r\n\r\nabc`),
          {},
          { [when]: choke },
        );
        assert.equal((await recorder.over()).error?.message, 'choked');
        assert.equal(recorder.events.filter((event) => /^(?:fail|end)/.test(event)).length, 1);
      });
    }

    it('that is given up after its end is left alone', async (t) => {
      const recorder = await sendTo(t, name, saying(EMPTY));
      await recorder.over();
      recorder.controller?.abort(new Error('late'));
      recorder.controller?.pause();
      recorder.controller?.resume();
      assert.deepEqual(recorder.events, ['start', 'head 200', 'end']);
    });
  });

  describe(`a switch of protocols through ${name}`, { concurrency: true }, () => {
    const SWITCH = 'HTTP/1.1 101 Sure\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n';
    const upgrade = 'websocket';

    it('is asked for', async (t) => {
      let asked = '';
      const recorder = await sendTo(
        t,
        name,
        (socket) =>
          socket.once('data', (bytes) => {
            asked = `${bytes}`.toLowerCase();
            socket.write(SWITCH);
          }),
        { upgrade },
      );
      await recorder.over();
      assert.match(asked, /\r\nconnection: upgrade\r\n/);
      assert.match(asked, /\r\nupgrade: websocket\r\n/);
      recorder.socket?.destroy();
    });

    it('hands over the connection, with what came along, both ways', async (t) => {
      let upstream: Socket | undefined;
      const recorder = await sendTo(
        t,
        name,
        onRequest((socket) => {
          upstream = socket;
          socket.write(`${SWITCH}first`);
        }),
        { upgrade },
      );
      const { socket, events, heads } = await recorder.over();
      assert.deepEqual(events, ['start', 'switch 101']);
      assert.deepEqual(heads[0]?.headers, ['Connection', 'Upgrade', 'Upgrade', 'WebSocket']);
      assert.ok(socket !== null && upstream !== undefined);
      assert.equal(`${(await once(socket, 'data'))[0]}`, 'first');
      upstream.write('second');
      assert.equal(`${(await once(socket, 'data'))[0]}`, 'second');
      socket.write('third');
      assert.equal(`${(await once(upstream, 'data'))[0]}`, 'third');
      upstream.end();
      await once(socket, 'end');
      assert.deepEqual(recorder.events, ['start', 'switch 101']);
    });

    it('hands over a connection that holds its upstream back', async (t) => {
      const total = 4 * 1024 * 1024;
      let upstream: Socket | undefined;
      const recorder = await sendTo(
        t,
        name,
        onRequest((socket) => {
          upstream = socket;
          socket.write(SWITCH);
          socket.write(Buffer.alloc(total, 'x'));
        }),
        { upgrade },
      );
      const { socket } = await recorder.over();
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(upstream?.writableFinished, false);
      let received = 0;
      socket?.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      await until('all has come', () => received === total);
      socket?.destroy();
    });

    it('may be declined', async (t) => {
      const declined = saying('HTTP/1.1 426 No\r\nContent-Length: 2\r\n\r\nno');
      const { events, data } = await (await sendTo(t, name, declined, { upgrade })).over();
      assert.deepEqual(events, ['start', 'head 426', 'data no', 'end']);
      assert.equal(data, 'no');
    });

    it('is refused if nobody asked', async (t) => {
      const { events } = await (await sendTo(t, name, saying(SWITCH))).over();
      assert.deepEqual(events, ['start', 'fail upstream_protocol_error']);
    });

    it('to something else is refused', async (t) => {
      // undici does not compare; what follows could be anything.
      const other = saying(SWITCH.replace('WebSocket', 'h2c'));
      const { events, socket } = await (await sendTo(t, name, other, { upgrade })).over();
      assert.deepEqual(events[1], name === 'undici' ? 'switch 101' : 'fail upstream_protocol_error');
      socket?.destroy();
    });
  });
}
