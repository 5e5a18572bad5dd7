import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Config, freePort, startInstance, until } from '#test/support/process.ts';
import { RawClient, requestOf, statusesIn } from '#test/support/raw-client.ts';
import { startRawUpstream, startUpstreams } from '#test/support/upstream.ts';

async function scene(t: TestContext, config: Config) {
  const upstreams = await startUpstreams(t, ['red']);
  const instance = await startInstance(t, upstreams, config);
  return { upstreams, instance, dial: () => RawClient.dial(t, instance.port) };
}

describe('a request', () => {
  it('with more headers, or a longer target, than it may have is refused', async (t) => {
    const { dial } = await scene(t, { server: { header_count_max: 3, target_bytes_max: 300 } });
    const status = async (request: string) => statusesIn(await dial().say(request).ended());
    const close = 'Connection: close';
    assert.deepEqual(await status(requestOf('GET /', 'A: 1', close)), [200]);
    assert.deepEqual(await status(requestOf('GET /', 'A: 1', 'B: 2', close)), [431]);
    assert.deepEqual(await status(requestOf(`GET /${'a'.repeat(299)}`, close)), [200]);
    assert.deepEqual(await status(requestOf(`GET /${'a'.repeat(300)}`, close)), [414]);
  });

  it('is the last one on its connection when there were as many as there may be', async (t) => {
    const { dial } = await scene(t, { server: { requests_per_connection_max: 2 } });
    const received = await dial().say(requestOf('GET /').repeat(3)).ended();
    assert.deepEqual(statusesIn(received), [200, 200]);
    assert.deepEqual(received.match(/Connection: [\w-]+/g), ['Connection: keep-alive', 'Connection: close']);
  });
});

describe('a wait for a connection to an upstream', () => {
  it('is over in time, also for a body that is long or of no declared length', async (t) => {
    // Such requests, whose attempts may take as long as their bodies do, waited for ever while no connection was free.
    const { port } = await startRawUpstream(t, (socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nendless')),
    );
    const instance = await startInstance(t, [{ name: 'red', port }], {
      server: { workers: 1 },
      upstream_connections: { max: 1 },
      timeouts: { attempt_ms: 300 },
    });
    const dial = () => RawClient.dial(t, instance.port);
    const holder = dial().say(requestOf('GET /'));
    await holder.hears('endless');
    const chunked = dial().say(
      `${requestOf('POST /', 'Transfer-Encoding: chunked', 'Connection: close')}0\r\n\r\n`,
    );
    const long = `${requestOf('POST /', 'Content-Length: 100000', 'Connection: close')}${'a'.repeat(100_000)}`;
    assert.deepEqual(statusesIn(await chunked.ended()), [504]);
    assert.deepEqual(statusesIn(await dial().say(long).ended()), [504]);
  });
});

describe('a body', () => {
  const close = 'Connection: close';
  const post = (path: string, ...headers: string[]) => requestOf(`POST ${path}`, close, ...headers);
  const CHUNKED = 'Transfer-Encoding: chunked';
  const FIVE = '5\r\nabcde\r\n';

  const bounded = (t: TestContext) =>
    scene(t, {
      server: { body_bytes_max: 10 },
      routes: [{ path_prefix: '/' }, { path_prefix: '/any', body_bytes_max: null }],
    });

  it('that is declared to be too long is refused before anything is forwarded', async (t) => {
    const { upstreams, dial } = await bounded(t);
    const refused = await dial()
      .say(`${post('/', 'Content-Length: 11')}abcdefghijk`)
      .ended();
    assert.match(refused, /^HTTP\/1\.1 413 .*application\/problem\+json.*"error":"Request body too large"/s);
    assert.equal(upstreams[0]?.requests, 0);
    const expecting = dial().say(post('/', 'Content-Length: 11', 'Expect: 100-continue'));
    assert.deepEqual(statusesIn(await expecting.ended()), [413]);
    const longest = dial().say(`${post('/', 'Content-Length: 10')}abcdefghij`);
    assert.deepEqual(statusesIn(await longest.ended()), [200]);
  });

  it('that turns out to be too long is cut, and never ends at the upstream', async (t) => {
    let received = '';
    const { port } = await startRawUpstream(t, (socket) =>
      socket.on('data', (bytes) => {
        received += bytes.toString('latin1');
      }),
    );
    const { dial } = await scene(t, {
      server: { body_bytes_max: 10 },
      load_balancing: { upstreams: [{ name: 'listening', address: '127.0.0.1', port }] },
      retry: { non_idempotent: true },
    });
    const client = dial().say(post('/', CHUNKED) + FIVE);
    await until('the upstream has the start', () => received.includes('abcde'));
    client.say(FIVE.repeat(2));
    assert.deepEqual(statusesIn(await client.ended()), [413]);
    assert.ok(!received.includes('0\r\n\r\n'), received);
    assert.equal(received.match(/POST/g)?.length, 1);
  });

  it('may be longer where its route allows it', async (t) => {
    const { dial } = await bounded(t);
    const declared = dial().say(`${post('/any', 'Content-Length: 11')}abcdefghijk`);
    assert.deepEqual(statusesIn(await declared.ended()), [200]);
    const chunked = dial().say(`${post('/any', CHUNKED)}${FIVE.repeat(3)}0\r\n\r\n`);
    assert.deepEqual(statusesIn(await chunked.ended()), [200]);
  });

  it('that is too long for an answer that has begun cuts it', async (t) => {
    const { port } = await startRawUpstream(t, (socket) =>
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n'),
      ),
    );
    const { dial } = await scene(t, {
      server: { body_bytes_max: 10 },
      load_balancing: { upstreams: [{ name: 'hasty', address: '127.0.0.1', port }] },
    });
    const client = dial().say(post('/', CHUNKED) + FIVE);
    await client.hears('a\r\n');
    const received = await client.say(FIVE.repeat(2)).ended();
    assert.deepEqual(statusesIn(received), [200]);
    assert.ok(!received.endsWith('0\r\n\r\n'), received);
  });
});

describe('an upload that is too long to be kept', () => {
  it('fails over as long as no upstream has read of it', async (t) => {
    // What had come first was read on by a stream that nobody read, and then it could not be sent again.
    const [red = assert.fail()] = await startUpstreams(t, ['red']);
    const instance = await startInstance(t, [{ name: 'gone', port: await freePort() }, red]);
    const body = 'x'.repeat(50_000);
    for (const framing of [`Content-Length: ${5 * body.length}`, 'Transfer-Encoding: chunked']) {
      for (let times = 0; times < 2; times++) {
        const client = RawClient.dial(t, instance.port).say(
          requestOf('POST /', framing, 'Connection: close'),
        );
        const chunk = framing.startsWith('T') ? `${body.length.toString(16)}\r\n${body}\r\n` : body;
        client.say(chunk.repeat(5));
        if (framing.startsWith('T')) client.say('0\r\n\r\n');
        assert.deepEqual(statusesIn(await client.ended()), [200]);
      }
    }
  });
});

describe('a slow client', () => {
  it('has no upstream before a first part of its body has come', async (t) => {
    // 800 slow uploads held as many connections to the upstreams.
    const { upstreams, dial } = await scene(t, {});
    const [red = assert.fail()] = upstreams;
    const long = Array.from({ length: 50 }, () => dial().say(requestOf('POST /', 'Content-Length: 1000000')));
    const short = Array.from({ length: 50 }, () => dial().say(requestOf('POST /', 'Content-Length: 10')));
    for (const client of [...long, ...short]) client.say('abc');
    await dial().say(requestOf('GET /')).hears('200 OK');
    assert.equal(red.requests, 1);
    for (const client of short) client.say('defghij');
    for (const client of short) await client.hears('200 OK');
    assert.equal(red.requests, 51);
    long[0]?.say('x'.repeat(70_000));
    await until('it has an upstream', () => red.requests === 52);
  });

  it('that has not said how much it will send is heard all the same', async (t) => {
    const { port } = await startRawUpstream(t, (socket) =>
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n'),
      ),
    );
    const { dial } = await scene(t, {
      load_balancing: { upstreams: [{ name: 'talking', address: '127.0.0.1', port }] },
    });
    const client = dial().say(`${requestOf('POST /', 'Transfer-Encoding: chunked')}3\r\nabc\r\n`);
    await client.hears('yes');
  });

  it('that sends gets 408, while others are served, and its upstream is let go', async (t) => {
    let ended = 0;
    const { port } = await startRawUpstream(t, (socket) => {
      socket.on('data', () => {});
      socket.on('close', () => ended++);
    });
    const { instance, dial } = await scene(t, {
      server: { body_rate_min: 1000, rate_window_ms: 300 },
      load_balancing: { upstreams: [{ name: 'patient', address: '127.0.0.1', port }] },
      retry: { body_buffer_bytes: 0 },
    });
    const client = dial().say(requestOf('PUT /', 'Content-Length: 100000'));
    const drip = setInterval(() => client.say('a'), 50);
    t.after(() => clearInterval(drip));
    assert.equal((await fetch(`${instance.url}/health`)).status, 200);
    assert.match(await client.ended(), /^HTTP\/1\.1 408 .*"error":"Request timeout"/s);
    await until('the attempt has ended', () => ended === 1);
  });

  it('that reads too slowly is cut', async (t) => {
    let ended = 0;
    const { port } = await startRawUpstream(t, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.write(Buffer.alloc(64 * 1024 * 1024));
      });
      socket.on('close', () => ended++);
    });
    const { dial } = await scene(t, {
      server: { response_rate_min: 10_000_000, rate_window_ms: 300 },
      load_balancing: { upstreams: [{ name: 'large', address: '127.0.0.1', port }] },
    });
    const client = dial().say(requestOf('GET /'));
    client.socket.pause();
    await until('the attempt has ended', () => ended === 1);
  });
});

describe('a client', () => {
  it('with as many connections as it may have is told so, and nobody else is', async (t) => {
    const { instance, dial } = await scene(t, { server: { workers: 2, connections_per_client_max: 3 } });
    for (let count = 0; count < 3; count++) await dial().say(requestOf('GET /')).hears('200 OK');
    assert.match(await dial().ended(), /^HTTP\/1\.1 503 .*"error":"Too many connections"/s);
    await RawClient.dial(t, instance.port, '127.0.0.2').say(requestOf('GET /')).hears('200 OK');
  });
});

describe('an answer', () => {
  it('whose head is larger than it may be is a 502', async (t) => {
    const { dial } = await scene(t, {
      ...(await tellingUpstream(t, 20)),
      upstream_connections: { response_head_bytes_max: 1024, response_header_count_max: 10 },
      retry: { attempts: 1 },
    });
    const close = 'Connection: close';
    const status = async (target: string) => statusesIn(await dial().say(requestOf(target, close)).ended());
    assert.deepEqual(await status('GET /few'), [200]);
    assert.deepEqual(await status('GET /many'), [502]);
    assert.deepEqual(await status('GET /long'), [502]);
  });
});

/** A pool of one upstream, which has as many headers to say, or as long a one, as the path asks for. */
async function tellingUpstream(t: TestContext, many: number): Promise<Config> {
  const { port } = await startRawUpstream(t, (socket) =>
    socket.on('data', (bytes) => {
      const headers = `${bytes}`.startsWith('GET /many')
        ? 'X: y\r\n'.repeat(many)
        : `X: ${'y'.repeat(`${bytes}`.startsWith('GET /long') ? 1024 : 1)}\r\n`;
      socket.write(`HTTP/1.1 200 OK\r\n${headers}Content-Length: 0\r\n\r\n`);
    }),
  );
  return { load_balancing: { upstreams: [{ name: 'telling', address: '127.0.0.1', port }] } };
}
