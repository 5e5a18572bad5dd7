import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { TransportController, TransportRequest } from '#http/transport.ts';
import { until } from '#test/support/process.ts';
import type { Hooks, Recorder } from '../transport/subject.ts';
import { send } from '../transport/subject.ts';
import { type Behaviour, h2To, saying, startH2Upstream } from './subject.ts';

async function ask(
  t: TestContext,
  behave: Behaviour,
  request: Partial<TransportRequest> = {},
  hooks: Hooks = {},
): Promise<Recorder> {
  const { port } = await startH2Upstream(t, behave);
  return send(h2To(t, { port }), request, hooks);
}

const ANSWERS: Record<string, [behave: Behaviour, body: string]> = {
  'with a body': [saying('abc'), 'abc'],
  'with a length': [
    (stream) => {
      stream.respond({ ':status': 200, 'content-length': 3 });
      stream.end('abc');
    },
    'abc',
  ],
  'in its head alone': [(stream) => stream.respond({ ':status': 200 }, { endStream: true }), ''],
  'with an empty body': [saying(''), ''],
  'and reset with NO_ERROR after its end': [
    (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('abc', () => stream.close(constants.NGHTTP2_NO_ERROR));
    },
    'abc',
  ],
};

describe('an answer in HTTP/2', { concurrency: true }, () => {
  for (const [how, [behave, body]] of Object.entries(ANSWERS)) {
    it(`${how} is heard whole`, async (t) => {
      const { events, data } = await (await ask(t, behave)).over();
      assert.deepEqual(
        events.filter((event) => !event.startsWith('data')),
        ['start', 'head 200', 'end'],
      );
      assert.equal(data, body);
    });

    it(`${how} is heard whole after a pause`, async (t) => {
      const recorder = await ask(t, behave, {}, { head: (controller) => controller.pause() });
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
      const said = status === 204 ? {} : { 'content-length': 30 };
      const behave: Behaviour = (stream) =>
        stream.respond({ ':status': status, ...said }, { endStream: true });
      const { events } = await (await ask(t, behave, { method })).over();
      assert.deepEqual(events, ['start', `head ${status}`, 'end']);
    }
  });

  it('says so where its head is all of it, so that whoever passes it on knows at once', async (t) => {
    for (const [said, length] of [
      [{}, ['content-length', '0']],
      [{ 'content-length': 0 }, ['content-length', '0']],
    ] as const) {
      const behave: Behaviour = (stream) =>
        stream.respond({ ':status': 200, 'grpc-status': '5', ...said }, { endStream: true });
      const { heads, events } = await (await ask(t, behave)).over();
      const headers = heads[0]?.headers.filter((_, at, all) => all[at - (at % 2)] !== 'date');
      assert.deepEqual(headers, ['grpc-status', '5', ...length]);
      assert.deepEqual(events, ['start', 'head 200', 'end']);
    }
  });

  it('is heard byte for byte in its head', async (t) => {
    const behave: Behaviour = (stream) => {
      stream.respond({ ':status': 418, 'x-b': ['1', '', '\xe9\xff'] }, {
        endStream: true,
        sendDate: false,
      } as object);
    };
    const { heads } = await (await ask(t, behave)).over();
    const headers = heads[0]?.headers.slice(0, 6);
    assert.deepEqual(headers, ['x-b', '1', 'x-b', '', 'x-b', '\xe9\xff']);
    assert.equal(heads[0]?.reason, "I'm a Teapot");
  });

  it('may have trailers, also right behind its head', async (t) => {
    for (const body of ['abc', '']) {
      const behave: Behaviour = (stream) => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': ['1', '\xe9'] }));
        stream.end(body);
      };
      const { trailers, data } = await (await ask(t, behave)).over();
      assert.deepEqual(trailers, ['x-sum', '1', 'x-sum', '\xe9']);
      assert.equal(data, body);
    }
  });

  it('may follow informational ones', async (t) => {
    const behave: Behaviour = (stream) => {
      stream.additionalHeaders({ ':status': 100 });
      stream.additionalHeaders({ ':status': 103, link: 'a' });
      stream.additionalHeaders({ ':status': 102 });
      stream.respond({ ':status': 200 }, { endStream: true });
    };
    const { events, heads } = await (await ask(t, behave)).over();
    assert.deepEqual(events, ['start', 'head 103', 'head 102', 'head 200', 'end']);
    assert.deepEqual(heads[0]?.headers, ['link', 'a']);
  });

  it('waits where it is paused, and holds its upstream back, but not others on its connection', async (t) => {
    const total = 1024 * 1024;
    let sent = 0;
    const { port, sessions } = await startH2Upstream(t, (stream, headers) => {
      stream.respond({ ':status': 200 });
      if (headers[':path'] !== '/big') {
        stream.end('small');
        return;
      }
      const more = () => {
        while (sent < total) {
          sent += 16_384;
          if (!stream.write(Buffer.alloc(16_384))) {
            stream.once('drain', more);
            return;
          }
        }
        stream.end();
      };
      more();
    });
    const transport = h2To(t, { port });
    const big = send(transport, { path: '/big' }, { data: (controller) => controller.pause() });
    await until('there is data', () => big.bytes > 0);
    for (let times = 0; times < 100; times++) assert.equal((await send(transport).over()).data, 'small');
    assert.ok(sent < 256 * 1024, `${sent} bytes were taken`);
    assert.equal(sessions.length, 1);
    await until('all has come', () => {
      for (let times = 0; times < 32; times++) big.controller?.resume();
      return big.isOver;
    });
    assert.equal(big.bytes, total);
    assert.equal(big.events.at(-1), 'end');
  });

  it('goes on where it is resumed within its own data', async (t) => {
    const both = {
      data(controller: TransportController) {
        controller.pause();
        controller.resume();
      },
    };
    const recorder = await (await ask(t, saying('ab'), {}, both)).over();
    assert.deepEqual(recorder.events, ['start', 'head 200', 'data ab', 'end']);
  });

  for (const [when, hook] of [
    ['at its start', 'start'],
    ['at its head', 'head'],
    ['within its data', 'data'],
  ] as const) {
    it(`that is given up ${when} cancels its stream, tells why once, and leaves the others`, async (t) => {
      const codes: (number | undefined)[] = [];
      const { port, sessions } = await startH2Upstream(t, (stream, headers) => {
        stream.respond({ ':status': 200 });
        if (headers[':path'] === '/next') stream.end('next');
        else {
          stream.on('close', () => codes.push(stream.rstCode));
          stream.write('abc');
        }
      });
      const transport = h2To(t, { port });
      const reason = new Error('given up');
      const recorder = send(
        transport,
        {},
        { [hook]: (controller: TransportController) => controller.abort(reason) },
      );
      await recorder.over();
      assert.equal(recorder.error, reason);
      assert.equal((await send(transport, { path: '/next' }).over()).data, 'next');
      if (hook !== 'start') {
        await until('the upstream knows', () => codes.length > 0);
        assert.deepEqual(codes, [constants.NGHTTP2_CANCEL]);
      }
      assert.equal(recorder.events.filter((event) => event.startsWith('fail')).length, 1);
      assert.equal(sessions.length, 1);
    });
  }

  it('fails its handler with what that throws', async (t) => {
    const error = new Error('thrown');
    const recorder = await ask(
      t,
      saying('abc'),
      {},
      {
        head() {
          throw error;
        },
      },
    );
    assert.equal((await recorder.over()).error, error);
  });
});
