/** A real instance that speaks TLS with its clients. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { createAuthority, identityFiles } from '#test/support/certificates.ts';
import { until } from '#test/support/process.ts';
import { startTlsInstance } from '#test/support/tls-instance.ts';
import { startUpstream } from '#test/support/upstream.ts';

const echo = ({ headers }: IncomingMessage, response: ServerResponse) => {
  response.end(JSON.stringify(headers));
};

/** One request on a connection of its own. */
async function ask(options: RequestOptions) {
  const outgoing = request({ ...options, agent: false }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += chunk;
  const names = (response.socket as TLSSocket).getPeerX509Certificate()?.subjectAltName;
  return { status: response.statusCode, body, names };
}

describe('an instance with server.tls', () => {
  it('serves encrypted beside what it serves unencrypted, and says so to upstreams', async (t) => {
    const red = await startUpstream(t, 'red', echo);
    const { instance, options } = await startTlsInstance(t, [red]);
    const { status, body } = await ask(options);
    assert.deepEqual([status, JSON.parse(body)['x-forwarded-proto']], [200, 'https']);
    const plain = (await (await fetch(instance.url)).json()) as Record<string, string>;
    assert.equal(plain['x-forwarded-proto'], 'http');
  });

  it('speaks nothing but TLS on server.listen_port where it has no port of its own', async (t) => {
    const red = await startUpstream(t, 'red');
    const { instance, options } = await startTlsInstance(t, [red], {}, { listen_port: undefined });
    assert.equal((await ask({ ...options, port: instance.port })).status, 200);
    await assert.rejects(fetch(instance.url));
  });

  it('takes up a new certificate while it answers by the old one', async (t) => {
    const begun = Promise.withResolvers<ServerResponse>();
    const red = await startUpstream(t, 'red', (_, response) => {
      if (red.requests > 1) response.end('later');
      else begun.resolve(response.writeHead(200));
    });
    const { authority, files, instance, options } = await startTlsInstance(t, [red], {
      server: { workers: 2 },
    });
    const streaming = ask(options);
    const response = await begun.promise;
    response.write('before, ');
    files.write(authority.issue('DNS:one.example,DNS:renewed.example'));
    await until('it is taken up', async () => (await ask(options)).names?.includes('renewed') === true);
    response.end('after');
    assert.deepEqual(await streaming, { status: 200, body: 'before, after', names: 'DNS:one.example' });

    writeFileSync(files.keyFile, 'nothing');
    await until('it is told', () => instance.output.includes('certificate not renewed'));
    assert.match(
      instance.output,
      new RegExp(`"file":"${files.keyFile}","problem":"it has no PEM private key`),
    );
    assert.equal((await ask(options)).status, 200);
    assert.ok(!instance.output.includes('PRIVATE KEY'));
  });

  it('asks clients who they are, and tells upstreams, whatever clients say of it', async (t) => {
    const red = await startUpstream(t, 'red', echo);
    const authority = createAuthority(t);
    const caFile = join(identityFiles(t, authority.issue('DNS:x')).folder, 'ca.pem');
    writeFileSync(caFile, authority.pem);
    const headers = { request: { set: { 'X-Client': '%{tls.client_subject} by %{tls.version}' } } };
    const { options } = await startTlsInstance(
      t,
      [red],
      { headers },
      { client_certificates: { ca_file: caFile } },
    );
    const app = authority.issue('DNS:app.example', 2, 'App');
    const { body } = await ask({ ...options, ...app, headers: { 'X-Client': 'Admin' } });
    assert.equal(JSON.parse(body)['x-client'], 'App by TLSv1.3');
    await assert.rejects(ask(options), { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' });
    await assert.rejects(ask({ ...options, ...createAuthority(t).issue('DNS:app.example') }));
    assert.equal(red.requests, 1);
  });

  it('takes clients from the PROXY protocol before they shake hands', async (t) => {
    const red = await startUpstream(t, 'red', echo);
    const server = { proxy_protocol: true, trusted_proxies: ['127.0.0.1'] };
    const { options } = await startTlsInstance(t, [red], { server });
    const socket = dial(options.port, '127.0.0.1');
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    socket.write('PROXY TCP4 203.0.113.7 127.0.0.1 40000 443\r\n');
    const secure = connect({ ...options, socket });
    await once(secure, 'secureConnect');
    let heard = '';
    secure.setEncoding('latin1').on('data', (text) => {
      heard += text;
    });
    secure.write('GET / HTTP/1.1\r\nHost: one.example\r\nConnection: close\r\n\r\n');
    await until('it is answered', () => heard.includes('"x-forwarded-for":"203.0.113.7"'));
  });

  it('carries WebSockets', async (t) => {
    const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(sockets, 'listening');
    t.after(() => sockets.close());
    sockets.on('connection', (socket) => socket.on('message', (said) => socket.send(`heard ${said}`)));
    const { port } = sockets.address() as { port: number };
    const { options } = await startTlsInstance(t, [{ name: 'red', port }]);
    const client = new WebSocket(`wss://127.0.0.1:${options.port}`, [], {
      rejectUnauthorized: false,
    });
    t.after(() => client.terminate());
    await once(client, 'open');
    client.send('hello');
    assert.equal(String((await once(client, 'message'))[0]), 'heard hello');
  });

  it('closes connections beyond those that it may have, before they shake hands', async (t) => {
    const red = await startUpstream(t, 'red');
    const { instance, options } = await startTlsInstance(t, [red], { server: { max_connections: 1 } });
    const first = connect(options);
    t.after(() => first.destroy());
    await once(first, 'secureConnect');
    await assert.rejects(ask(options), { code: 'ECONNRESET' });
    const metric = 'signalbox_refusals_total{signalbox_cause="connection_limit"} 1';
    await until('it is counted', async () =>
      (await (await fetch(`${instance.admin}/metrics`)).text()).includes(metric),
    );
  });

  it('counts handshakes that fail', async (t) => {
    const { instance, options } = await startTlsInstance(t, [await startUpstream(t, 'red')]);
    const client = dial(options.port, '127.0.0.1').on('error', () => {});
    t.after(() => client.destroy());
    client.write('GET / HTTP/1.1\r\n\r\n');
    const metric = 'signalbox_tls_handshake_failures_total{signalbox_cause="malformed"} 1';
    await until('it is counted', async () =>
      (await (await fetch(`${instance.admin}/metrics`)).text()).includes(metric),
    );
  });
});

describe('SIGTERM', () => {
  it('lets what is under way over TLS end, and closes the rest cleanly', async (t) => {
    const begun = Promise.withResolvers<ServerResponse>();
    const red = await startUpstream(t, 'red', (_, response) => begun.resolve(response));
    const { instance, options } = await startTlsInstance(t, [red]);
    const idle = connect(options);
    t.after(() => idle.destroy());
    await once(idle, 'secureConnect');
    const asked = ask(options);
    const response = await begun.promise;
    const stopped = instance.stop();
    await once(idle.resume(), 'end');
    response.end('in its own time');
    assert.equal((await asked).body, 'in its own time');
    assert.equal(await stopped, 0);
  });
});
