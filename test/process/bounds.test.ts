import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Config, startInstance } from '#test/support/process.ts';
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
