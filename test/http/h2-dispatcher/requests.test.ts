import assert from 'node:assert/strict';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { Fields } from '#core/fields.ts';
import type { TransportRequest } from '#http/transport.ts';
import { until } from '#test/support/process.ts';
import { send } from '../transport/subject.ts';
import { h2To, startH2Upstream } from './subject.ts';

type Received = { raw: string[]; body: Buffer; trailers: IncomingHttpHeaders | null };

/** What reaches an upstream that answers when all has come. */
async function received(t: TestContext, request: Partial<TransportRequest>) {
  const all: Received[] = [];
  const { port } = await startH2Upstream(t, async (stream, _, raw) => {
    let trailers: IncomingHttpHeaders | null = null;
    stream.on('trailers', (fields) => {
      trailers = fields;
    });
    const body = await buffer(stream);
    all.push({ raw, body, trailers });
    stream.respond({ ':status': 200 }, { endStream: true });
  });
  const recorder = await send(h2To(t, { port }), request).over();
  return { recorder, ...(all[0] as Received) };
}

/** An upstream that has the stream and waits. */
async function unanswered(t: TestContext, request: Partial<TransportRequest>) {
  const streams: ServerHttp2Stream[] = [];
  let text = '';
  const { port } = await startH2Upstream(t, (stream) => {
    streams.push(stream);
    stream.on('data', (bytes) => {
      text += bytes;
    });
  });
  const recorder = send(h2To(t, { port }), request);
  return { recorder, streams, text: () => text };
}

describe('a request in HTTP/2', { concurrency: true }, () => {
  it('is sent as it is, but for what HTTP/2 says in another way', async (t) => {
    const own = ['x-B', '1', 'X-b', '', 'X-B', '\xe9\xff', 'Content-Type', 'application/grpc'];
    const hop = [
      'Connection',
      'close',
      'Keep-Alive',
      'x',
      'Upgrade',
      'h2c',
      'TE',
      'gzip',
      'HTTP2-Settings',
      'x',
    ];
    const headers = ['Host', 'a.example', ...own, ...hop];
    const { raw } = await received(t, { method: 'OPTIONS', path: '/a?b', headers: Fields.of(headers) });
    const pseudo = [':method', 'OPTIONS', ':scheme', 'http', ':path', '/a?b', ':authority', 'a.example'];
    const passed = ['x-b', '1', 'x-b', '', 'x-b', '\xe9\xff', 'content-type', 'application/grpc'];
    assert.deepEqual(raw, [...pseudo, ...passed]);
  });

  it('says that trailers are taken', async (t) => {
    const { raw } = await received(t, { takesTrailers: true });
    assert.deepEqual(raw.slice(-2), ['te', 'trailers']);
  });

  for (const [what, headers] of [
    ['of the length that was declared', ['Content-Length', '5']],
    ['whose length nobody knows', []],
  ] as const) {
    it(`has a body ${what}`, async (t) => {
      const body = Readable.from([Buffer.from('he'), Buffer.alloc(0), Buffer.from('llo')]);
      const { body: said, recorder } = await received(t, {
        method: 'PUT',
        headers: Fields.of(headers),
        body,
      });
      assert.equal(`${said}`, 'hello');
      assert.deepEqual(recorder.sent, ['hello', 'all']);
    });
  }

  it('has trailers behind its body, or none', async (t) => {
    for (const [given, expected] of [
      [['X-Sum', '1', 'x-sum', '\xe9', 'x-b', ''], { 'x-sum': '1, \xe9', 'x-b': '' }],
      [[], null],
      [['x', 'a\r\nb: c'], null],
    ] as const) {
      let isEnded = false;
      const body = Readable.from([Buffer.from('a')]).on('end', () => {
        isEnded = true;
      });
      const trailers = () => (isEnded ? given : assert.fail('too early'));
      const said = await received(t, { method: 'POST', body, trailers });
      assert.deepEqual(said.trailers && Object.fromEntries(Object.entries(said.trailers)), expected);
      assert.equal(`${said.body}`, 'a');
    }
  });

  const malformed: Record<string, Partial<TransportRequest>> = {
    'a header value that breaks its line': { headers: Fields.of(['X', 'a\r\nb']) },
    'a header name that is a pseudo-header field': { headers: Fields.of([':path', '/other']) },
    'NUL in a header value': { headers: Fields.of(['X', 'a\0']) },
    'a header value that is no bytes': { headers: Fields.of(['X', '\u010d\u010a']) },
    'a space in its target': { path: '/a b' },
    'a method that is none': { method: 'GE T' },
    CONNECT: { method: 'CONNECT' },
    'a length without a body': { method: 'POST', headers: Fields.of(['Content-Length', '3']) },
    'a length that is none': { headers: Fields.of(['Content-Length', 'x']), body: Readable.from([]) },
  };
  for (const [how, request] of Object.entries(malformed)) {
    it(`is not sent with ${how}`, async (t) => {
      const { recorder } = await unanswered(t, request);
      assert.deepEqual((await recorder.over()).events, ['fail malformed_request']);
    });
  }

  it('to switch protocols is not sent: there is nothing to switch', async (t) => {
    const { recorder } = await unanswered(t, { upgrade: 'websocket' });
    assert.deepEqual((await recorder.over()).events, ['fail upgrade_unsupported']);
  });

  for (const [how, sent] of [
    ['shorter', 'abc'],
    ['longer', 'abcdef'],
  ] as const) {
    it(`fails when its body is ${how} than declared, before the upstream has all of one`, async (t) => {
      const body = Readable.from([Buffer.from(sent)]);
      const request = { method: 'POST', headers: Fields.of(['Content-Length', '5']), body };
      const { recorder, streams } = await unanswered(t, request);
      assert.deepEqual((await recorder.over()).events, ['start', 'fail malformed_request']);
      await until('the stream is reset', () => streams[0] === undefined || streams[0].aborted);
    });
  }

  it('fails when its body does', async (t) => {
    const body = new Readable({ read() {} });
    const { recorder, text, streams } = await unanswered(t, { method: 'POST', body });
    body.push(Buffer.from('abc'));
    await until('it has come', () => text() === 'abc');
    const error = new Error('gone');
    body.destroy(error);
    assert.equal((await recorder.over()).error, error);
    await until('the stream is reset', () => streams[0]?.aborted === true);
  });

  it('is written no faster than the upstream reads', async (t) => {
    const total = 8 * 1024 * 1024;
    const chunk = Buffer.alloc(64 * 1024);
    let taken = 0;
    const body = new Readable({
      read() {
        taken += chunk.length;
        this.push(taken <= total ? chunk : null);
      },
    });
    let stream: ServerHttp2Stream | undefined;
    const { port } = await startH2Upstream(t, (each) => {
      stream = each.pause();
    });
    const recorder = send(h2To(t, { port }), { method: 'POST', body });
    await until('it has come', () => stream !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(taken < 1024 * 1024, `${taken} bytes were taken`);
    assert.equal((await buffer(stream ?? assert.fail())).length, total);
    stream?.respond({ ':status': 200 }, { endStream: true });
    assert.equal((await recorder.over()).events.at(-1), 'end');
  });

  it('and its answer are under way at once, either way round', async (t) => {
    const body = new Readable({ read() {} });
    const { recorder, streams, text } = await unanswered(t, { method: 'POST', body });
    await until('the upstream has it, before anything of its body', () => streams.length > 0);
    streams[0]?.respond({ ':status': 200 });
    for (const [at, word] of ['one', 'two', 'three'].entries()) {
      body.push(Buffer.from(word));
      await until(`${word} has come`, () => text().endsWith(word));
      streams[0]?.write(`${at}`);
      await until('it is answered', () => recorder.data.endsWith(`${at}`));
    }
    body.push(null);
    await until('its end has come', () => streams[0]?.readableEnded === true);
    streams[0]?.end('!');
    assert.equal((await recorder.over()).data, '012!');
  });

  it('that is answered whole before its body was sent lets go of that', async (t) => {
    for (const resets of [true, false]) {
      const body = new Readable({ read() {} });
      const { recorder, streams, text } = await unanswered(t, { method: 'POST', body });
      body.push(Buffer.from('one'));
      await until('it has come', () => text() === 'one');
      const [stream] = streams;
      stream?.respond({ ':status': 413 });
      stream?.end('no', () => resets && stream.close(0));
      assert.deepEqual((await recorder.over()).events, ['start', 'head 413', 'data no', 'end']);
      await until('the body is let go', () => body.destroyed);
      await until('the stream is over', () => stream?.closed === true);
    }
  });

  it('that may have trailers, and is answered whole before it ends, does the process no harm', async (t) => {
    // node:http2 aborted it: such a stream was closed within a callback.
    const { port } = await startH2Upstream(t, (stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }));
      stream.end();
    });
    const transport = h2To(t, { port });
    for (let times = 0; times < 10; times++) {
      const body = new Readable({ read() {} });
      body.push(Buffer.from('one'));
      const recorder = await send(transport, { method: 'POST', body, trailers: () => ['x', 'y'] }).over();
      assert.deepEqual(recorder.events, ['start', 'head 200', 'end']);
      assert.deepEqual(recorder.trailers, ['x-sum', '1']);
    }
  });

  it('that was answered whole, and reset, and goes on, does the answer no harm', async (t) => {
    // What is written then is an error of the stream, with which the rest of the answer went.
    const answer = 'x'.repeat(20_000);
    const { port } = await startH2Upstream(t, (stream) => {
      stream.respond({ ':status': 200 });
      stream.end(answer, () => stream.close(0));
    });
    const body = new Readable({ read() {} });
    body.push(Buffer.from('one'));
    const recorder = send(
      h2To(t, { port }),
      { method: 'POST', body },
      { head: (controller) => controller.pause() },
    );
    await until('it is answered', () => recorder.events.includes('head 200'));
    for (let times = 0; times < 3; times++) {
      body.push(Buffer.from('more'));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    recorder.controller?.resume();
    assert.equal((await recorder.over()).data, answer);
    assert.equal(recorder.error, null);
  });

  it('arrives byte for byte, and its answer too, whatever their sizes', async (t) => {
    const { port } = await startH2Upstream(t, (stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    const transport = h2To(t, { port });
    const size = fc.oneof(fc.nat(100), fc.constantFrom(0, 16_383, 16_384, 16_385, 65_535, 65_536, 200_000));
    await fc.assert(
      fc.asyncProperty(fc.array(size, { maxLength: 5 }), fc.boolean(), async (sizes, isDeclared) => {
        const chunks = sizes.map((bytes, at) => Buffer.alloc(bytes, `${at}x`));
        const whole = Buffer.concat(chunks);
        const headers = isDeclared ? ['Content-Length', `${whole.length}`] : [];
        const body = Readable.from(chunks);
        const recorder = await send(transport, { method: 'POST', headers: Fields.of(headers), body }).over();
        assert.equal(recorder.error, null);
        assert.equal(recorder.data, whole.toString('latin1'));
      }),
      { numRuns: 60 },
    );
  });
});
