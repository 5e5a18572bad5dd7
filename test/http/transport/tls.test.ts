import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { after, describe, it, type TestContext } from 'node:test';
import { createServer } from 'node:tls';
import type { Transport } from '#http/transport.ts';
import { createAuthority } from '#test/support/certificates.ts';
import { until } from '#test/support/process.ts';
import {
  EMPTY,
  OK,
  onRequest,
  saying,
  sayingAndClosing,
  send,
  TRANSPORTS,
  type TransportName,
  transportTo,
} from './subject.ts';

const authority = createAuthority({ after });
const identity = authority.issue('DNS:one.example');

/** A transport to an upstream that speaks TLS. */
async function secured(
  t: TestContext,
  name: TransportName,
  behave: (socket: Socket) => void,
): Promise<Transport> {
  const sockets: Socket[] = [];
  const server = createServer(identity, (socket) => {
    sockets.push(socket.on('error', () => {}));
    behave(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const tls = { serverName: 'one.example', ca: authority.pem, verify: true };
  return transportTo(t, name, { port: (server.address() as AddressInfo).port, tls });
}

for (const name of TRANSPORTS) {
  describe(`TLS through ${name}`, { concurrency: true }, () => {
    it('carries one request after the other', async (t) => {
      let connections = 0;
      const transport = await secured(t, name, (socket) => {
        connections++;
        socket.on('data', () => socket.write(EMPTY));
      });
      for (let times = 0; times < 3; times++)
        assert.deepEqual((await send(transport).over()).events, ['start', 'head 200', 'end']);
      assert.equal(connections, 1);
    });

    it('carries an answer until it closes', async (t) => {
      const transport = await secured(t, name, sayingAndClosing(`${OK}\r\nabc`));
      const { events } = await send(transport).over();
      assert.deepEqual(events, ['start', 'head 200', 'data abc', 'end']);
    });

    it('carries a long answer byte for byte, however often it is paused', async (t) => {
      // It may have more decrypted already than is asked for.
      const body = randomBytes(4 * 1024 * 1024);
      const transport = await secured(
        t,
        name,
        onRequest((socket) => {
          socket.write(`${OK}Content-Length: ${body.length}\r\n\r\n`);
          socket.write(body);
          // undici takes an end for the end of all, whatever it still has to tell.
          if (name === 'h1') socket.end();
        }),
      );
      const recorder = send(
        transport,
        {},
        {
          data(controller) {
            controller.pause();
            setImmediate(() => controller.resume());
          },
        },
      );
      await recorder.over();
      assert.equal(recorder.error, null);
      const heard = createHash('sha256').update(recorder.data, 'latin1').digest('hex');
      assert.equal(heard, createHash('sha256').update(body).digest('hex'));
    });

    it('hands over its connection after a switch of protocols', async (t) => {
      const head = 'HTTP/1.1 101 Sure\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
      const transport = await secured(t, name, (socket) => {
        saying(`${head}first`)(socket);
        socket.on('data', (bytes) => `${bytes}`.startsWith('ping') && socket.end('pong'));
      });
      const { socket } = await send(transport, { upgrade: 'websocket' }).over();
      assert.equal(`${(await once(socket ?? assert.fail(), 'data'))[0]}`, 'first');
      socket?.write('ping');
      assert.equal(`${(await once(socket ?? assert.fail(), 'data'))[0]}`, 'pong');
      await once(socket ?? assert.fail(), 'end');
    });

    it('that breaks within an answer fails it', async (t) => {
      const transport = await secured(
        t,
        name,
        onRequest((socket) => {
          socket.write(`${OK}Content-Length: 10\r\n\r\nabc`, () => setTimeout(() => socket.destroy(), 20));
        }),
      );
      const recorder = send(transport);
      await until('it has failed', () => recorder.error !== null);
      assert.deepEqual(recorder.events, ['start', 'head 200', 'data abc', 'fail upstream_closed']);
    });
  });
}
