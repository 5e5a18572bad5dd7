import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, describe, it, type TestContext } from 'node:test';
import { createServer, type TlsOptions } from 'node:tls';
import { createAuthority } from '#test/support/certificates.ts';
import { send } from '../transport/subject.ts';
import { h2To } from './subject.ts';

const authority = createAuthority({ after });
const identity = authority.issue('DNS:one.example');
const TLS = { serverName: 'one.example', ca: authority.pem, verify: true };

describe('HTTP/2 over TLS', { concurrency: true }, () => {
  it('is negotiated, and carries one request after the other', async (t) => {
    const asked: string[] = [];
    const server = createSecureServer(identity, (request, response) => {
      asked.push(
        `${request.httpVersion} ${request.stream.session?.alpnProtocol} ${request.headers[':scheme']}`,
      );
      response.end('ok');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const transport = h2To(t, { port: (server.address() as AddressInfo).port, tls: TLS });
    for (let times = 0; times < 3; times++)
      assert.deepEqual((await send(transport).over()).events, ['start', 'head 200', 'data ok', 'end']);
    assert.deepEqual(
      asked,
      Array.from({ length: 3 }, () => '2.0 h2 https'),
    );
  });

  for (const [how, options, outcome] of [
    ['chooses no protocol', {}, 'fail upstream_protocol_error'],
    ['speaks HTTP/1.1 only', { ALPNProtocols: ['http/1.1'] }, 'fail upstream_tls_error'],
  ] as const) {
    it(`sends nothing to an upstream that ${how}: ${outcome}`, async (t) => {
      const port = await startTls(t, { ...identity, ...options } as TlsOptions);
      assert.deepEqual((await send(h2To(t, { port, tls: TLS })).over()).events, [outcome]);
    });
  }

  it('is not begun with an upstream whose certificate is another one', async (t) => {
    const port = await startTls(t, { ...authority.issue('DNS:two.example'), ALPNProtocols: ['h2'] });
    const { events } = await send(h2To(t, { port, tls: TLS })).over();
    assert.deepEqual(events, ['fail upstream_tls_error']);
  });
});

async function startTls(t: TestContext, options: TlsOptions): Promise<number> {
  const server = createServer(options, (socket) => socket.on('error', () => {}));
  server.on('tlsClientError', () => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}
