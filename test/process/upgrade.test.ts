import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startInstance, until } from '#test/support/process.ts';
import { RawClient, requestOf } from '#test/support/raw-client.ts';
import { startRawUpstream, startUpstream } from '#test/support/upstream.ts';

const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'];
const HANDSHAKE = requestOf('GET /chat', ...UPGRADE);
const SWITCHED = `HTTP/1.1 101 Switching Protocols\r\n${UPGRADE.join('\r\n')}\r\n`;

describe('an upgrade that is declined', () => {
  it('is cut when its client reads nothing of a long answer', async (t) => {
    // The connection no longer belonged to node:http, which ends those that stand still.
    let isGone = false;
    const upstream = await startUpstream(t, 'plain', (_, response) => {
      response.on('close', () => {
        isGone = true;
      });
      const chunk = Buffer.alloc(64 * 1024);
      const pour = () => {
        while (response.write(chunk));
      };
      response.on('drain', pour);
      pour();
    });
    const instance = await startInstance(t, [upstream], { timeouts: { idle_ms: 300 } });
    const client = RawClient.dial(t, instance.port);
    client.socket.pause();
    client.say(HANDSHAKE);
    await until('the upstream is let go of', () => isGone);
  });
});

describe('a client that leaves before its upgrade is answered', () => {
  for (const how of ['ends its side', 'resets'] as const) {
    it(`and ${how} is given up at once`, async (t) => {
      // Nothing read the connection until the tunnel was joined, and only a deadline ended the attempt.
      let hasArrived = false;
      let isGone = false;
      const upstream = await startRawUpstream(t, (socket) => {
        socket.on('data', () => {
          hasArrived = true;
        });
        socket.on('close', () => {
          isGone = true;
        });
      });
      const instance = await startInstance(t, [upstream]);
      const client = RawClient.dial(t, instance.port).say(HANDSHAKE);
      await until('the upstream has it', () => hasArrived);
      if (how === 'resets') client.socket.resetAndDestroy();
      else client.socket.end('said ahead');
      await until('the attempt ends', () => isGone, 2000);
    });
  }
});

describe('an upgrade', () => {
  it('passes on what the client says ahead, and every byte of the answer’s headers', async (t) => {
    // Bytes beyond ASCII went out as UTF-8, two for each.
    let heard = '';
    let answer = () => {};
    const upstream = await startRawUpstream(t, (socket) => {
      socket.setEncoding('latin1').on('data', (text: string) => {
        heard += text;
      });
      answer = () => socket.write(`${SWITCHED}X-Name: Zo\xeb\r\n\r\n`, 'latin1');
    });
    const instance = await startInstance(t, [upstream]);
    const client = RawClient.dial(t, instance.port).say(`${HANDSHAKE}ahead`);
    await until('the upstream has it', () => heard.endsWith('\r\n\r\n'));
    client.say(' of time');
    answer();
    await client.hears('\r\n\r\n');
    assert.match(client.received, /^HTTP\/1\.1 101 .*\r\nX-Name: Zo\xeb\r\n/s);
    await until('the rest has come', () => heard.endsWith('\r\n\r\nahead of time'));
  });

  it('is not for HTTP/1.0, which goes on as if it had not asked', async (t) => {
    // RFC 9110 §7.8: a server MUST ignore Upgrade in an HTTP/1.0 request. It was answered 101.
    const upstream = await startUpstream(t, 'plain', (incoming, response) =>
      response.end(`upgrade: ${incoming.headers.upgrade}`),
    );
    const instance = await startInstance(t, [upstream]);
    const client = RawClient.dial(t, instance.port).say(HANDSHAKE.replace('HTTP/1.1', 'HTTP/1.0'));
    assert.match(await client.ended(), /^HTTP\/1\.1 200 .*upgrade: undefined/s);
  });
});
