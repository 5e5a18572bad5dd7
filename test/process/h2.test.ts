/** A real instance whose clients speak HTTP/2. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { type Config, freePort, type Upstreams, until } from '#test/support/process.ts';
import { startTlsInstance } from '#test/support/tls-instance.ts';
import { startUpstream } from '#test/support/upstream.ts';

async function scene(t: TestContext, upstreams: Upstreams, config: Config = {}) {
  const { instance, options } = await startTlsInstance(t, upstreams, config);
  const dial = (): ClientHttp2Session => {
    const session = connect(`https://one.example:${options.port}`, options);
    t.after(() => session.destroy());
    return session.on('error', () => {});
  };
  return { instance, dial, port: options.port };
}

async function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}, body?: string) {
  const stream = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const [head] = await once(stream, 'response');
  return { status: head[':status'], head, body: await text(stream) };
}

describe('an instance whose clients speak HTTP/2', () => {
  it('passes requests on as it does those of HTTP/1.1', async (t) => {
    const red = await startUpstream(t, 'red', async (incoming: IncomingMessage, response: ServerResponse) => {
      const { method, url, headers } = incoming;
      response.end(JSON.stringify({ method, url, headers, body: await text(incoming) }));
    });
    const { instance, dial } = await scene(t, [red]);
    const { status, head, body } = await ask(
      dial(),
      { ':method': 'POST', ':path': '/a?b', cookie: ['a=1', 'b=2'] },
      'hello',
    );
    const { headers, ...rest } = JSON.parse(body);
    assert.deepEqual([status, rest], [200, { method: 'POST', url: '/a?b', body: 'hello' }]);
    assert.match(headers.host, /^one\.example:/);
    assert.deepEqual([headers.cookie, headers['x-forwarded-proto']], ['a=1; b=2', 'https']);
    assert.deepEqual(
      [head['x-backend'], head['connection'], head['keep-alive']],
      ['red', undefined, undefined],
    );

    const id = head['x-request-id'];
    const kept = async () => {
      const found = await fetch(`${instance.admin}/api/requests/${id}`);
      return ((await found.json()) as { requests: Record<string, unknown>[] }).requests[0] ?? assert.fail();
    };
    await until('it is over', async () => (await kept())['outcome'] === 'responded');
    const { protocol, scheme } = await kept();
    assert.deepEqual([protocol, scheme], ['2', 'https']);
  });

  it('gives each client the bytes of its own answer, however many come at once', async (t) => {
    const bodyOf = (path: string) => `${path};`.repeat(1000);
    const red = await startUpstream(t, 'red', ({ url }: IncomingMessage, response: ServerResponse) => {
      response.setHeader('Content-Length', bodyOf(url ?? '').length).end(bodyOf(url ?? ''));
    });
    const { dial } = await scene(t, [red]);
    const sessions = Array.from({ length: 10 }, dial);
    const paths = Array.from({ length: 200 }, (_, index) => `/${1000 + index}`);
    const asked = paths.map((path, index) =>
      ask(sessions[index % sessions.length] ?? assert.fail(), { ':path': path }),
    );
    const answers = await Promise.all(asked);
    const isWrong = (path: string, index: number) => answers[index]?.body !== bodyOf(path);
    assert.deepEqual(paths.filter(isWrong), []);
  });

  it('fails over, and refuses', async (t) => {
    const red = await startUpstream(t, 'red', (incoming, response) => {
      if (incoming.url === '/broken') incoming.socket.destroy();
      else response.end('red');
    });
    const gone = { name: 'gone', port: await freePort() };
    const auth = { auth_type: 'bearer', valid_tokens: ['a-token-of-sufficient-length'] };
    const rate_limit = { requests_per_minute: 1, burst_size: 1 };
    const { dial } = await scene(t, [gone, red], {
      routes: [
        { name: 'closed', path_prefix: '/closed', pool: 'default', auth },
        { name: 'limited', path_prefix: '/limited', pool: 'default', rate_limit },
        { name: 'all', path_prefix: '/', pool: 'default' },
      ],
    });
    const session = dial();
    for (let times = 0; times < 4; times++) {
      const { status, head } = await ask(session);
      assert.deepEqual([status, head['x-backend']], [200, 'red']);
    }
    const statusOf = async (path: string) => (await ask(session, { ':path': path })).status;
    assert.equal(await statusOf('/closed'), 401);
    assert.equal(await statusOf('/limited'), 200);
    const { status, head, body } = await ask(session, { ':path': '/limited' });
    assert.deepEqual(
      [status, head['content-type'], JSON.parse(body).status],
      [429, 'application/problem+json', 429],
    );
    assert.equal((await ask(session, { ':method': 'POST', ':path': '/broken' }, 'once')).status, 502);
    assert.equal((await ask(session, { ':authority': 'one.example', host: 'two.example' })).status, 400);
    assert.equal(await statusOf('/health'), 200);
    assert.equal(session.destroyed, false);
  });

  it('lets a client see that an answer is not whole', async (t) => {
    const red = await startUpstream(t, 'red', (_, response) => {
      response.writeHead(200).write('part');
      setTimeout(() => response.destroy(), 20);
    });
    const { dial } = await scene(t, [red]);
    const stream = dial().request();
    await assert.rejects(text(stream), { code: 'ERR_HTTP2_STREAM_ERROR' });
  });

  it('gives up an attempt when its client gives up the request', async (t) => {
    const left = Promise.withResolvers<void>();
    const red = await startUpstream(t, 'red', (incoming) => incoming.on('close', () => left.resolve()));
    const { dial } = await scene(t, [red]);
    const stream = dial()
      .request()
      .on('error', () => {});
    await until('it is asked', () => red.requests === 1);
    stream.close(8);
    await left.promise;
  });

  it('answers what is under way when it is told to stop, and exits', async (t) => {
    const held: ServerResponse[] = [];
    const red = await startUpstream(t, 'red', (_, response) => held.push(response));
    const { instance, dial } = await scene(t, [red], { server: { workers: 2 } });
    const sessions = [dial(), dial(), dial()];
    const asked = sessions.flatMap((session) => Array.from({ length: 10 }, () => ask(session)));
    await until('all are asked', () => held.length === 30);
    const gone = sessions.map((session) => once(session, 'goaway'));
    const stopped = instance.stop();
    for (const told of gone) assert.equal((await told)[0], 0);
    for (const response of held) response.end('in its own time');
    for (const { status, body } of await Promise.all(asked)) {
      assert.deepEqual([status, body], [200, 'in its own time']);
    }
    assert.equal(await stopped, 0);
  });

  it('speaks HTTP/1.1 with those that prefer it', async (t) => {
    const red = await startUpstream(t, 'red');
    const { port } = await scene(t, [red]);
    const versionOf = async (option: string) => {
      const args = ['-sk', '-o', '/dev/null', '-w', '%{http_version}', option, `https://127.0.0.1:${port}/`];
      return (await promisify(execFile)('curl', args)).stdout;
    };
    assert.equal(await versionOf('--http2'), '2');
    assert.equal(await versionOf('--http1.1'), '1.1');
  });
});
