import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { ask, tally } from '#test/support/load.ts';
import { startInstance, until } from '#test/support/process.ts';
import { RawClient, requestOf, statusesIn } from '#test/support/raw-client.ts';
import { startRawUpstream, startUpstream } from '#test/support/upstream.ts';

const request = (path: string, extra = '') => `GET ${path} HTTP/1.1\r\nHost: test\r\n${extra}\r\n`;

const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'];

describe('requests that a client sends ahead', () => {
  it('are answered in order, one after the other', async (t) => {
    let underWay = 0;
    let most = 0;
    const upstream = await startUpstream(t, 'slow', (incoming, response) => {
      most = Math.max(most, ++underWay);
      setTimeout(() => {
        underWay--;
        response.end(`<${incoming.url}>`);
      }, 5);
    });
    const instance = await startInstance(t, [upstream]);
    const socket = connect(instance.port, '127.0.0.1').setEncoding('latin1');
    let received = '';
    socket.on('data', (text: string) => {
      received += text;
    });
    const paths = Array.from({ length: 40 }, (_, index) => `/${index}`);
    socket.write(paths.map((path) => request(path)).join(''));
    await until('all are answered', () => received.includes('</39>'));
    assert.deepEqual(
      [...received.matchAll(/<(\/\d+)>/g)].map(([, path]) => path),
      paths,
    );
    assert.equal(most, 1);
    socket.write(request('/again'));
    await until('the connection goes on', () => received.includes('</again>'));
    socket.destroy();
  });

  it('are answered however many come at once', async (t) => {
    // Beyond 256 the connection was cut, and nobody was answered.
    const instance = await startInstance(t, [await startUpstream(t, 'red')]);
    const client = RawClient.dial(t, instance.port);
    client.say(requestOf('GET /health').repeat(2000) + requestOf('GET /').repeat(300));
    await until('all are answered', () => statusesIn(client.received).length === 2300);
    assert.deepEqual(tally(statusesIn(client.received)), { 200: 2300 });
  });

  it('without end take no memory, and are not read', async (t) => {
    const upstream = await startUpstream(t, 'mute', () => {});
    const instance = await startInstance(t, [upstream]);
    const before = await instance.memory();
    const { socket } = RawClient.dial(t, instance.port);
    const flood = requestOf('GET /').repeat(1000);
    let last = -1;
    await until('nothing is taken any more', async () => {
      while (socket.write(flood) && socket.writableLength < flood.length);
      const taken = socket.bytesWritten - socket.writableLength;
      const isStill = taken === last;
      last = taken;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return isStill;
    });
    assert.ok((await instance.memory()) - before < 16 * 1024 * 1024);
    assert.equal(upstream.requests, 1);
    assert.equal((await ask(instance.url, { path: '/health' })).status, 200);
  });

  it('have the time that their own answer takes', async (t) => {
    // The idle time of the answer before went on, and cut a client that was waiting for us.
    const upstream = await startUpstream(t, 'slow', (incoming, response) => {
      setTimeout(() => response.end('late'), incoming.url === '/slow' ? 900 : 0);
    });
    const instance = await startInstance(t, [upstream], { timeouts: { idle_ms: 300 } });
    const client = RawClient.dial(t, instance.port).say(requestOf('GET /') + requestOf('GET /slow'));
    await until('both are answered', () => statusesIn(client.received).length === 2);
  });

  it('before an upgrade are answered before it', async (t) => {
    // The upgrade ended the connection, and the answers on it.
    const upstream = await startRawUpstream(t, (socket) => {
      socket.setEncoding('latin1').on('data', (text: string) => {
        const answers = text.includes('/second')
          ? `HTTP/1.1 101 Switching Protocols\r\n${UPGRADE.join('\r\n')}\r\n\r\nhello`
          : 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst';
        setTimeout(() => socket.write(answers), 50);
      });
    });
    const instance = await startInstance(t, [upstream]);
    const upgrade = requestOf('GET /second', ...UPGRADE);
    const client = RawClient.dial(t, instance.port).say(requestOf('GET /first') + upgrade);
    await client.hears('hello');
    assert.deepEqual(statusesIn(client.received), [200, 101]);
  });

  it('before something that is no request are answered before its refusal', async (t) => {
    // The connection was closed behind the answer without a word, or before it.
    const upstream = await startUpstream(t, 'slow', (_, response) => {
      setTimeout(() => response.end('late'), 50);
    });
    const instance = await startInstance(t, [upstream]);
    const client = RawClient.dial(t, instance.port).say(`${requestOf('GET /')}garbage\r\n\r\n`);
    const received = await client.ended();
    assert.deepEqual(statusesIn(received), [200, 400]);
    assert.match(received, /late/);
  });
});

describe('a client that ends its side after its request', () => {
  it('is answered, requests that it sent ahead too, and closed', async (t) => {
    // RFC 9112 §9.6. Its end was taken for its leaving, and it got no answer.
    const upstream = await startUpstream(t, 'slow', (incoming, response) => {
      incoming.resume().on('end', () => setTimeout(() => response.end('late'), 50));
    });
    const instance = await startInstance(t, [upstream]);
    const post = `${requestOf('POST /', 'Content-Length: 4')}body`;
    const client = RawClient.dial(t, instance.port).say(post + requestOf('GET /'));
    client.socket.end();
    const received = await client.ended();
    assert.deepEqual(statusesIn(received), [200, 200]);
    assert.equal(client.error, '');
  });

  it('has left if it sent only some of it', async (t) => {
    const upstream = await startUpstream(t, 'red');
    const instance = await startInstance(t, [upstream]);
    const client = RawClient.dial(t, instance.port).say(`${requestOf('POST /', 'Content-Length: 5')}body`);
    client.socket.end();
    assert.equal(await client.ended(), '');
  });
});
