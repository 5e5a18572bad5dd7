import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { ask } from '#test/support/load.ts';
import { startInstance, until } from '#test/support/process.ts';
import { RawClient, requestOf, statusesIn } from '#test/support/raw-client.ts';
import { startUpstream } from '#test/support/upstream.ts';

const request = (path: string, extra = '') => `GET ${path} HTTP/1.1\r\nHost: test\r\n${extra}\r\n`;

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

  it('without end take no memory, and end the connection alone', async (t) => {
    const upstream = await startUpstream(t, 'mute', () => {});
    const instance = await startInstance(t, [upstream]);
    const before = await instance.memory();
    const { socket } = RawClient.dial(t, instance.port);
    const flood = requestOf('GET /').repeat(1000);
    const pour = () => {
      while (!socket.destroyed && socket.write(flood));
    };
    socket.on('drain', pour);
    pour();
    await until('it is cut', () => socket.closed);
    assert.ok((await instance.memory()) - before < 64 * 1024 * 1024);
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
    const upstream = await startUpstream(t, 'slow', (_, response) => {
      setTimeout(() => response.end('late'), 50);
    });
    const instance = await startInstance(t, [upstream]);
    const upgrade = requestOf('GET /second', 'Connection: Upgrade', 'Upgrade: websocket');
    const client = RawClient.dial(t, instance.port).say(requestOf('GET /first') + upgrade);
    await until('both are answered', () => statusesIn(client.received).length === 2);
    assert.deepEqual(statusesIn(client.received), [200, 200]);
  });
});
