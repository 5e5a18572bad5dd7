import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { ask } from '#test/support/load.ts';
import { type Instance, startInstance, until } from '#test/support/process.ts';
import { RawClient, requestOf, statusesIn } from '#test/support/raw-client.ts';
import { startRawUpstream, startUpstream } from '#test/support/upstream.ts';

const MEBIBYTE = 1024 * 1024;
const GIBIBYTE = 1024 * MEBIBYTE;

const GET = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';
const PUT = 'PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n';

/** Writes `total` bytes as fast as they are taken. */
function pour(target: NodeJS.WritableStream, total: number): void {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  let left = total;
  const write = () => {
    while (left > 0) {
      left -= chunk.length;
      if (!target.write(chunk)) {
        target.once('drain', write);
        return;
      }
    }
    target.end();
  };
  write();
}

async function inFlight({ admin }: Instance): Promise<number | undefined> {
  const answer = await fetch(`${admin}/api/upstreams`);
  const { upstreams } = (await answer.json()) as { upstreams: { in_flight: number }[] };
  return upstreams[0]?.in_flight;
}

describe('bodies', () => {
  it('of 1 GiB stream through both ways with memory flat', { timeout: 60_000 }, async (t) => {
    const upstream = await startUpstream(t, 'big', (incoming, response) => {
      if (incoming.method === 'GET') {
        response.setHeader('Content-Length', GIBIBYTE);
        pour(response, GIBIBYTE);
        return;
      }
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      incoming.on('end', () => response.end(`${bytes}`));
    });
    const instance = await startInstance(t, [upstream]);
    await ask(instance.url, { method: 'POST', body: 'warm up' });
    const beforeBytes = await instance.memory();
    let mostBytes = beforeBytes;
    const watch = setInterval(async () => {
      mostBytes = Math.max(mostBytes, await instance.memory());
    }, 50);

    let received = 0;
    const response = await fetch(instance.url);
    for await (const chunk of response.body ?? []) received += chunk.length;
    assert.equal(received, GIBIBYTE);

    const upload = request(instance.url, { method: 'PUT', headers: { 'Content-Length': GIBIBYTE } });
    pour(upload, GIBIBYTE);
    const [answer] = await once(upload, 'response');
    const [counted] = await once(answer.setEncoding('utf8'), 'data');
    assert.equal(counted, `${GIBIBYTE}`);

    clearInterval(watch);
    const grownMebibytes = (mostBytes - beforeBytes) / MEBIBYTE;
    assert.ok(grownMebibytes < 50, `memory grew by ${grownMebibytes.toFixed(1)} MiB`);
  });

  it('come no faster from the upstream than a slow reader takes them', async (t) => {
    let sent = 0;
    const upstream = await startUpstream(t, 'fast', (_, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const write = () => {
        do sent += chunk.length;
        while (response.write(chunk));
      };
      response.on('drain', write);
      write();
    });
    const instance = await startInstance(t, [upstream]);
    const socket = connect(instance.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
    await once(socket, 'readable');
    // What the system's buffers take is some megabytes; then the upstream has to wait.
    let last = -1;
    await until('the upstream stands still', async () => {
      const isStill = sent === last;
      last = sent;
      await delay(200);
      return isStill;
    });
    assert.ok(sent < 64 * MEBIBYTE, `${sent} bytes were taken for a client that reads nothing`);
    socket.on('data', () => {});
    await until('the upstream goes on', () => sent > last);
    socket.destroy();
  });

  it('of events pass at once, not when a buffer is full', async (t) => {
    const upstream = await startUpstream(t, 'events', (incoming, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: one\n\n');
      incoming.on('close', () => {});
    });
    const instance = await startInstance(t, [upstream]);
    const response = await fetch(instance.url);
    const reader = response.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    assert.equal(Buffer.from(value ?? []).toString(), 'data: one\n\n');
    await reader?.cancel();
  });

  it('are cut when the client neither sends nor reads for the idle time', async (t) => {
    const upstream = await startUpstream(t, 'fast', (incoming, response) => {
      incoming.resume();
      if (incoming.method === 'GET') pour(response, GIBIBYTE);
    });
    const instance = await startInstance(t, [upstream], {
      timeouts: { idle_ms: 300 },
      retry: { body_buffer_bytes: 0 },
    });
    for (const [index, text] of [GET, `${PUT}the beginning`].entries()) {
      const socket = connect(instance.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.pause();
      socket.write(text);
      await until('the upstream has the request', () => upstream.requests > index);
      await until('it is given up', async () => (await inFlight(instance)) === 0);
      socket.destroy();
    }
  });

  it('are not cut while the client waits for a slow upstream', async (t) => {
    const upstream = await startUpstream(t, 'slow', (incoming, response) => {
      incoming.resume();
      setTimeout(() => response.end('late'), 1000);
    });
    const instance = await startInstance(t, [upstream], { timeouts: { idle_ms: 300 } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const method of ['GET', 'POST', 'GET']) {
      const body = method === 'POST' ? { body: 'whole' } : {};
      assert.equal((await ask(instance.url, { method, agent, ...body })).body, 'late');
    }
    agent.destroy();
  });

  it('that an upstream breaks off are seen to be broken off', async (t) => {
    const raw = await startRawUpstream(t, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this');
        setTimeout(() => socket.destroy(), 50);
      });
    });
    const instance = await startInstance(t, [raw]);
    const { status, error } = await ask(instance.url);
    assert.equal(status, 200);
    assert.notEqual(error, '');
  });
});

describe('what an upstream says besides', () => {
  it('passes: hints before its answer, and trailers behind', async (t) => {
    const raw = await startRawUpstream(t, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: X-B\r\nX-B: 1\r\n\r\n');
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        socket.write('2\r\nok\r\n0\r\nX-Sum: 1\r\nTransfer-Encoding: gzip\r\n\r\n');
      });
    });
    const instance = await startInstance(t, [raw]);
    const client = RawClient.dial(t, instance.port).say(requestOf('GET /', 'Connection: close'));
    const received = await client.ended();
    assert.ok(received.startsWith('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n'));
    assert.ok(received.endsWith('\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n'), received);
  });

  it('does not pass in trailers where it would not in the head', async (t) => {
    // Upstreams could say there what Signalbox says, and what they had said to be of their connection.
    const { port } = await startRawUpstream(t, (socket) =>
      socket.once('data', () =>
        socket.end(
          'HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nTransfer-Encoding: chunked\r\n\r\n' +
            '0\r\nx-request-id: forged\r\nX-Backend: forged\r\nX-Hop: forged\r\nX-Sum: 1\r\n\r\n',
        ),
      ),
    );
    const instance = await startInstance(t, [{ name: 'red', port }]);
    const said = await RawClient.dial(t, instance.port).say(requestOf('GET /', 'Connection: close')).ended();
    assert.match(said, /\r\n\r\n0\r\nX-Sum: 1\r\n\r\n$/);
  });
});

describe('trailers of a request', () => {
  const CHUNKS = '3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-User-ID: root\r\nContent-Length: 9\r\n\r\n';
  const HEAD = requestOf(
    'PUT /',
    'Transfer-Encoding: chunked',
    'Connection: TE',
    'TE: trailers',
    'Trailer: X-Sum',
  );

  it('reach the upstream, less those that must not, and again where it is asked again', async (t) => {
    // They were dropped.
    const asked: string[] = [];
    const behave = (socket: Socket) => {
      let text = '';
      socket.on('data', (bytes) => {
        text += bytes;
        if (!/\r\n0\r\n(?:.+\r\n)*\r\n$/.test(text)) return;
        asked.push(text);
        if (asked.length === 1) socket.destroy();
        else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    };
    const instance = await startInstance(t, [await startRawUpstream(t, behave)]);
    const client = RawClient.dial(t, instance.port).say(HEAD + CHUNKS);
    await client.hears('\r\n\r\nok');
    assert.equal(asked.length, 2);
    for (const text of asked) {
      assert.ok(text.endsWith('3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n'), text);
      assert.match(text, /\r\nTrailer: X-Sum\r\n/);
      assert.match(text, /\r\nConnection: TE\r\nTE: trailers\r\n/);
    }
  });
});

describe('an upload that nobody reads', () => {
  const BYTES = 4 * MEBIBYTE;
  const NO_ROUTE_HERE = { routes: [{ path_prefix: '/elsewhere' }] };
  const framings = { declared: `Content-Length: ${BYTES}`, chunked: 'Transfer-Encoding: chunked' };

  for (const [framing, header] of Object.entries(framings)) {
    it(`is answered, and its connection is closed: ${framing}`, async (t) => {
      // The answer said keep-alive, and was overtaken by a reset while the client went on sending.
      const instance = await startInstance(t, [await startUpstream(t, 'plain')], NO_ROUTE_HERE);
      const client = RawClient.dial(t, instance.port).say(requestOf('POST /', header));
      client.socket.pause();
      const bytes = 'x'.repeat(BYTES);
      client.say(framing === 'declared' ? bytes : `${BYTES.toString(16)}\r\n${bytes}\r\n`);
      await until('it is sent', () => client.socket.writableLength === 0);
      client.socket.resume();
      assert.match(await client.ended(), /^HTTP\/1\.1 404 .*\r\nConnection: close\r\n.*\}\n$/s);
      assert.equal(client.error, '');
    });
  }

  it('keeps its connection if it is short', async (t) => {
    const instance = await startInstance(t, [await startUpstream(t, 'plain')], NO_ROUTE_HERE);
    const client = RawClient.dial(t, instance.port).say(requestOf('POST /', 'Content-Length: 5'));
    await client.hears('}\n');
    client.say(`short${requestOf('GET /')}`);
    await until('the next one is answered', () => statusesIn(client.received).length === 2);
    assert.doesNotMatch(client.received, /Connection: close/);
  });
});

describe('a client that leaves', () => {
  it('ends its request at the upstream', async (t) => {
    let closed = 0;
    const upstream = await startUpstream(t, 'slow', (incoming, response) => {
      response.on('close', () => closed++);
      if (incoming.url === '/begun') response.write('some of it');
    });
    const instance = await startInstance(t, [upstream]);
    for (const [index, path] of ['/waiting', '/begun'].entries()) {
      const outgoing = request(`${instance.url}${path}`);
      outgoing.on('error', () => {});
      outgoing.end();
      await until('the upstream has the request', () => upstream.requests > index);
      outgoing.destroy();
      await until('the upstream sees it end', () => closed > index);
    }
    await until('nothing is in flight', async () => (await inFlight(instance)) === 0);
  });

  it('in the middle of an upload ends that, too', async (t) => {
    let broken = 0;
    const upstream = await startUpstream(t, 'slow', (incoming) => {
      incoming.resume();
      incoming.on('error', () => broken++);
    });
    const instance = await startInstance(t, [upstream]);
    const outgoing = request(instance.url, { method: 'POST' });
    outgoing.on('error', () => {});
    outgoing.write('the beginning');
    await until('the upstream has the request', () => upstream.requests === 1);
    outgoing.destroy();
    await until('the upstream sees it break', () => broken === 1);
  });
});

describe('WebSocket', () => {
  it('passes both ways, large messages included', async (t) => {
    const upstream = await startUpstream(t, 'plain');
    const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(sockets, 'listening');
    t.after(() => sockets.close());
    sockets.on('connection', (socket, incoming) => {
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      socket.send(`${incoming.url} ${incoming.headers['x-request-id']}`);
    });
    const { port } = sockets.address() as { port: number };
    const instance = await startInstance(t, [{ name: 'ws', port }]);

    const client = new WebSocket(`${instance.url.replace('http', 'ws')}/chat?room=1`);
    const head = once(client, 'upgrade');
    const [greeting] = await once(client, 'message');
    const [response] = await head;
    assert.equal(`${greeting}`, `/chat?room=1 ${response.headers['x-request-id']}`);
    assert.equal(response.headers['x-proxy-by'], 'signalbox');
    const large = Buffer.alloc(3 * MEBIBYTE, 7);
    client.send(large);
    const [echo] = await once(client, 'message');
    assert.ok(large.equals(echo));
    client.close();
    await once(client, 'close');

    const other = await startInstance(t, [upstream]);
    const refused = new WebSocket(other.url.replace('http', 'ws'));
    const [error] = await once(refused, 'error');
    assert.match(error.message, /200/);
  });

  it('that the upstream declines gets its whole answer, long as it may be', async (t) => {
    const long = 'x'.repeat(300_000);
    const upstream = await startUpstream(t, 'plain', (_, response) => response.end(long));
    const instance = await startInstance(t, [upstream]);
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'a' };
    const { status, body } = await ask(instance.url, { headers });
    assert.deepEqual([status, body.length], [200, long.length]);
  });

  it('is cut when nothing passes for too long', async (t) => {
    const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(sockets, 'listening');
    t.after(() => sockets.close());
    const { port } = sockets.address() as { port: number };
    const instance = await startInstance(t, [{ name: 'ws', port }], { timeouts: { idle_ms: 300 } });
    const client = new WebSocket(instance.url.replace('http', 'ws'));
    await once(client, 'open');
    await once(client, 'close');
  });
});
