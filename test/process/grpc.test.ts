/** Calls of gRPC through a real instance, from a client to a server that are both node:http2, and no library. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { type Behaviour, startH2Upstream } from '#test/http/h2-dispatcher/subject.ts';
import { type Config, until } from '#test/support/process.ts';
import { startTlsInstance } from '#test/support/tls-instance.ts';

/** A message as it stands in a body: not compressed, and so long. */
function message(text: string): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(Buffer.byteLength(text), 1);
  return Buffer.concat([prefix, Buffer.from(text)]);
}

/** An instance before servers of gRPC, one for each behaviour, and a way to call them. */
async function scene(t: TestContext, behaviours: readonly Behaviour[], config: Config = {}) {
  const servers = await Promise.all(behaviours.map((behave) => startH2Upstream(t, behave)));
  const upstreams = servers.map((server, at) => ({ name: `server${at}`, port: server.port }));
  const { options } = await startTlsInstance(t, upstreams, {
    ...config,
    load_balancing: { protocol: 'h2' },
  });
  const session: ClientHttp2Session = connect(`https://one.example:${options.port}`, options);
  session.on('error', () => {});
  t.after(() => session.destroy());
  const call = (path: string, headers: OutgoingHttpHeaders = {}) => {
    const own = { ':method': 'POST', 'content-type': 'application/grpc+proto', te: 'trailers' };
    const stream = session.request({ ...own, ':path': path, ...headers }, { endStream: false });
    return new Call(stream.on('error', () => {}));
  };
  return { servers, call };
}

class Call {
  readonly stream: ClientHttp2Stream;
  head: IncomingHttpHeaders | null = null;
  /** Whether the head is the whole answer: Trailers-Only. */
  isTrailersOnly = false;
  trailers: IncomingHttpHeaders | null = null;
  #chunks: Buffer[] = [];

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    stream.on('response', (head, flags) => {
      this.head = head;
      this.isTrailersOnly = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    });
    stream.on('trailers', (trailers) => {
      this.trailers = trailers;
    });
    stream.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Resolves however it has ended. */
  async ended(): Promise<this> {
    await until('the call is over', () => this.stream.destroyed);
    return this;
  }
}

function answer(stream: ServerHttp2Stream, status = '0', text = ''): void {
  stream.on('wantTrailers', () =>
    stream.sendTrailers({ 'grpc-status': status, 'grpc-message': 'said%20so' }),
  );
  if (!stream.headersSent) {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
  }
  stream.end(text === '' ? undefined : message(text));
}

describe('a call of gRPC', () => {
  it('passes, with its status behind its message', async (t) => {
    const asked: IncomingHttpHeaders[] = [];
    const { call } = await scene(t, [
      async (stream, headers) => {
        asked.push(headers);
        const body = await buffer(stream);
        answer(stream, '0', `re: ${body.subarray(5)}`);
      },
    ]);
    const one = call('/shop.Cart/Get', { 'grpc-timeout': '5S', 'x-meta-bin': 'AAEC' });
    one.stream.end(message('hello'));
    await one.ended();
    assert.deepEqual(one.received, message('re: hello'));
    assert.deepEqual(
      [
        one.head?.[':status'],
        one.head?.['content-type'],
        one.trailers?.['grpc-status'],
        one.trailers?.['grpc-message'],
      ],
      [200, 'application/grpc+proto', '0', 'said%20so'],
    );
    const [{ te, 'content-type': type, 'grpc-timeout': timeout, 'x-meta-bin': meta } = assert.fail()] = asked;
    assert.deepEqual([te, type, timeout, meta], ['trailers', 'application/grpc+proto', '5S', 'AAEC']);
  });

  it('that fails at once is headers alone, as it was', async (t) => {
    const { call } = await scene(t, [
      (stream) =>
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' },
          { endStream: true },
        ),
    ]);
    const one = call('/shop.Cart/Get');
    one.stream.end(message('hello'));
    await one.ended();
    assert.deepEqual([one.isTrailersOnly, one.head?.['grpc-status'], one.trailers], [true, '5', null]);
  });

  it('streams both ways at once, message by message', async (t) => {
    const { call } = await scene(t, [
      (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('data', (chunk) => stream.write(chunk));
        stream.on('end', () => answer(stream));
      },
    ]);
    const one = call('/shop.Cart/Watch');
    await until('it has begun, before anything was said', () => one.head !== null);
    let all = Buffer.alloc(0);
    for (const text of ['one', 'two', 'x'.repeat(100_000)]) {
      one.stream.write(message(text));
      all = Buffer.concat([all, message(text)]);
      await until('it is answered', () => one.received.length === all.length);
    }
    one.stream.end();
    await one.ended();
    assert.deepEqual(one.received, all);
    assert.equal(one.trailers?.['grpc-status'], '0');
  });

  it('may be ended by the server while the client still sends', async (t) => {
    const { call } = await scene(t, [(stream) => stream.once('data', () => answer(stream, '8'))]);
    const one = call('/shop.Cart/Upload');
    one.stream.write(message('first'));
    await once(one.stream, 'trailers');
    await one.ended();
    assert.equal(one.trailers?.['grpc-status'], '8');
  });

  it('that its client gives up is given up at the server', async (t) => {
    const streams: ServerHttp2Stream[] = [];
    const { call } = await scene(t, [
      (stream) => {
        streams.push(stream);
        stream.respond({ ':status': 200 });
      },
    ]);
    const one = call('/shop.Cart/Watch');
    await until('it has begun', () => one.head !== null);
    one.stream.close(constants.NGHTTP2_CANCEL);
    await until('the server knows', () => streams[0]?.closed === true);
    assert.equal(streams[0]?.rstCode, constants.NGHTTP2_CANCEL);
  });

  it('that breaks off is reset, and never looks whole', async (t) => {
    for (const code of [constants.NGHTTP2_CANCEL, constants.NGHTTP2_INTERNAL_ERROR]) {
      const { call } = await scene(t, [
        (stream) => {
          // Without them node:http2 ends it as if it were whole.
          stream.respond({ ':status': 200 }, { waitForTrailers: true });
          stream.write(message('part'), () => stream.close(code));
        },
      ]);
      const one = call('/shop.Cart/Watch');
      one.stream.end();
      await one.ended();
      assert.notEqual(one.stream.rstCode, constants.NGHTTP2_NO_ERROR);
      assert.equal(one.trailers, null);
    }
  });

  it('goes elsewhere when a server has not begun on it, and only then', async (t) => {
    let broken = 0;
    const { call } = await scene(t, [
      (stream, headers) => {
        if (headers[':path'] === '/a.B/Refused') stream.close(constants.NGHTTP2_REFUSED_STREAM);
        else {
          broken++;
          stream.close(constants.NGHTTP2_INTERNAL_ERROR);
        }
      },
      (stream) => stream.resume().on('end', () => answer(stream, '0', 'here')),
    ]);
    for (let times = 0; times < 4; times++) {
      const one = call('/a.B/Refused');
      one.stream.end(message('once'));
      await one.ended();
      assert.equal(one.trailers?.['grpc-status'], '0');
    }
    const outcomes: unknown[] = [];
    for (let times = 0; times < 2; times++) {
      const one = call('/a.B/Broken');
      one.stream.end(message('once'));
      await one.ended();
      outcomes.push(one.trailers?.['grpc-status'] ?? one.head?.['grpc-status']);
    }
    assert.equal(broken, 1);
    assert.deepEqual(outcomes.toSorted(), ['0', '14']);
  });

  it('that is refused here is told so as gRPC has it', async (t) => {
    const auth = { auth_type: 'bearer', valid_tokens: ['a-token-of-sufficient-length'] };
    const { call } = await scene(t, [(stream) => answer(stream)], {
      routes: [{ path_prefix: '/closed', pool: 'default', auth }],
    });
    for (const [path, status] of [
      ['/closed.A/Get', '12'],
      ['/closed/Get', '16'],
    ] as const) {
      const one = call(path);
      one.stream.end(message('hello'));
      await one.ended();
      assert.deepEqual(
        [one.isTrailersOnly, one.head?.[':status'], one.head?.['grpc-status']],
        [true, 200, status],
      );
      assert.ok((one.head?.['grpc-message'] ?? '') !== '');
    }
  });
});
