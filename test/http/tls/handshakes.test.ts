import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { ServerTlsSettings } from '#core/settings.ts';
import type { ClientTls, TlsMaterial } from '#core/tls.ts';
import { HANDSHAKE_MS_MAX, Handshakes } from '#http/tls/handshakes.ts';
import { createAuthority } from '#test/support/certificates.ts';
import { until } from '#test/support/process.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const SETTINGS: ServerTlsSettings = {
  port: null,
  certificates: [],
  minVersion: 'TLSv1.2',
  clientCertificates: null,
  http2StreamsMax: 0,
};
const REQUIRED = { isRequired: true, caFile: '' };

/** Handshakes on a real port, with certificates for one.example (the first) and two.example. */
async function scene(t: TestContext, changes: Partial<ServerTlsSettings> = {}) {
  const authority = createAuthority(t);
  const named = (name: string) => ({ names: [name], expiresMs: Infinity, ...authority.issue(`DNS:${name}`) });
  const material: TlsMaterial = {
    identities: [named('one.example'), named('two.example')],
    clientCa: changes.clientCertificates ? authority.pem : null,
    ticketKeys: Buffer.alloc(48, 1),
  };
  const clock = new VirtualClock();
  const failures: string[] = [];
  const done: { secure: TLSSocket; tls: ClientTls }[] = [];
  const handshakes = new Handshakes({ ...SETTINGS, ...changes }, material, clock, (cause) =>
    failures.push(cause),
  );
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    t.after(() => socket.destroy());
    handshakes.begin(socket, (secure, tls) => {
      done.push({ secure, tls });
      secure.write('welcome');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;

  /** A client that is welcome, or the error that it ends with; '' where it is only closed. */
  const enter = async (options: ConnectionOptions = {}): Promise<TLSSocket | string> => {
    const client = connect({
      port,
      host: '127.0.0.1',
      ca: authority.pem,
      servername: 'one.example',
      ...options,
    });
    t.after(() => client.destroy());
    return new Promise((resolve) => {
      client.once('data', () => resolve(client));
      client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      client.once('close', () => resolve(''));
    });
  };
  const welcome = async (options?: ConnectionOptions): Promise<TLSSocket> => {
    const client = await enter(options);
    if (typeof client === 'string') throw new Error(`not welcome: ${client}`);
    return client;
  };
  return { authority, material, clock, failures, done, handshakes, port, enter, welcome };
}

const nameOf = (client: TLSSocket) => client.getPeerX509Certificate()?.subjectAltName;

describe('a handshake', () => {
  it('is by the certificate for the name that the client asks for, else by the first', async (t) => {
    const { welcome } = await scene(t);
    assert.equal(nameOf(await welcome()), 'DNS:one.example');
    assert.equal(nameOf(await welcome({ servername: 'TWO.example' })), 'DNS:two.example');
    const unverified = { checkServerIdentity: () => undefined };
    assert.equal(nameOf(await welcome({ servername: 'three.example', ...unverified })), 'DNS:one.example');
    assert.equal(nameOf(await welcome({ servername: '', ...unverified })), 'DNS:one.example');
  });

  it('says what the connection is encrypted by', async (t) => {
    const { welcome, done } = await scene(t);
    await welcome();
    await welcome({ maxVersion: 'TLSv1.2' });
    assert.deepEqual(
      done.map(({ tls }) => tls),
      [
        { version: 'TLSv1.3', certificate: null },
        { version: 'TLSv1.2', certificate: null },
      ],
    );
  });

  it('agrees on HTTP/2 only where that is spoken', async (t) => {
    for (const [http2StreamsMax, agreed] of [
      [100, 'h2'],
      [0, 'http/1.1'],
    ] as const) {
      const { welcome } = await scene(t, { http2StreamsMax });
      const client = await welcome({ ALPNProtocols: ['h2', 'http/1.1'] });
      assert.equal(client.alpnProtocol, agreed);
      assert.equal((await welcome()).alpnProtocol, false);
    }
  });

  it('needs a version in common', async (t) => {
    const { enter, failures } = await scene(t, { minVersion: 'TLSv1.3' });
    assert.equal(await enter({ maxVersion: 'TLSv1.2' }), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    assert.deepEqual(failures, ['nothing_in_common']);
  });

  it('fails with what is no TLS', async (t) => {
    const { port, failures } = await scene(t);
    const client = dial(port, '127.0.0.1').on('error', () => {});
    t.after(() => client.destroy());
    client.write('GET / HTTP/1.1\r\nHost: one.example\r\n\r\n');
    await until('it is closed', () => client.closed);
    assert.deepEqual(failures, ['malformed']);
  });

  it('has a time to end in, however often something is said', async (t) => {
    const { port, clock, failures } = await scene(t);
    const client = dial(port, '127.0.0.1').on('error', () => {});
    t.after(() => client.destroy());
    await once(client, 'connect');
    // The beginning of a ClientHello that never ends.
    client.write(Buffer.from('1603010200010001fc0303', 'hex'));
    await until('it has begun', () => clock.timers === 1);
    clock.advance(HANDSHAKE_MS_MAX - 1);
    client.write(Buffer.alloc(1));
    assert.deepEqual(failures, []);
    clock.advance(1);
    await until('it is closed', () => client.closed);
    assert.deepEqual([failures, clock.timers], [['timeout'], 0]);
  });

  // With a socket that may be half open, a client that left was waited for until the deadline.
  it('is over when its client leaves', async (t) => {
    const { port, clock, failures, welcome } = await scene(t);
    await welcome();
    assert.equal(clock.timers, 0);
    const client = dial(port, '127.0.0.1');
    await until('it has begun', () => clock.timers === 1);
    client.destroy();
    await until('it is over', () => clock.timers === 0);
    await until('it is counted', () => failures.length > 0);
    assert.deepEqual(failures, ['left']);
  });
});

describe('new certificates', () => {
  it('are for handshakes to come, while connections that there are go on', async (t) => {
    const { welcome, handshakes, authority, material, done } = await scene(t);
    const before = await welcome();
    const names = ['one.example'];
    const renewed = { names, expiresMs: Infinity, ...authority.issue('DNS:one.example,DNS:new.example') };
    handshakes.use({ ...material, identities: [renewed], ticketKeys: Buffer.alloc(48, 2) });
    assert.equal(nameOf(await welcome()), 'DNS:one.example, DNS:new.example');
    done[0]?.secure.write('more');
    assert.equal(String((await once(before, 'data'))[0]), 'more');
  });
});

describe('a client with a certificate', () => {
  it('gets in with one that is verified, and is known by it', async (t) => {
    const { welcome, done, authority } = await scene(t, { clientCertificates: REQUIRED });
    const client = await welcome(authority.issue('DNS:app.example,URI:spiffe://x/app', 2, 'App'));
    assert.deepEqual(done[0]?.tls, {
      version: 'TLSv1.3',
      certificate: {
        commonName: 'App',
        alternativeNames: 'DNS:app.example, URI:spiffe://x/app',
        fingerprint: client.getX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase(),
      },
    });
  });

  it('is turned away without one where it is required', async (t) => {
    const { enter, failures } = await scene(t, { clientCertificates: REQUIRED });
    assert.equal(await enter(), 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
    assert.deepEqual(failures, ['client_certificate']);
  });

  for (const isRequired of [true, false]) {
    it(`is turned away with one that cannot be verified (required: ${isRequired})`, async (t) => {
      const { enter, failures, done } = await scene(t, { clientCertificates: { isRequired, caFile: '' } });
      const stranger = createAuthority(t).issue('DNS:app.example');
      assert.equal(typeof (await enter(stranger)), 'string');
      assert.deepEqual([failures, done], [['client_certificate'], []]);
    });
  }

  it('gets in without one where it is only asked for, and is nobody then', async (t) => {
    const { welcome, done } = await scene(t, { clientCertificates: { isRequired: false, caFile: '' } });
    await welcome();
    assert.equal(done[0]?.tls.certificate, null);
  });

  it('resumes its session as who it was, until other authorities are asked', async (t) => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const scenery = await scene(t, { clientCertificates: REQUIRED });
      const { welcome, enter, authority, handshakes, material, done } = scenery;
      const identity = authority.issue('DNS:app.example', 2, 'App');
      const first = await welcome({ ...identity, maxVersion });
      const session = first.getSession();
      const resumed = await welcome({ ...identity, maxVersion, session });
      assert.ok(resumed.isSessionReused());
      assert.equal(done[1]?.tls.certificate?.commonName, 'App');

      const clientCa = createAuthority(t).pem;
      handshakes.use({ ...material, clientCa, ticketKeys: Buffer.alloc(48, 2) });
      assert.equal(typeof (await enter({ ...identity, maxVersion, session })), 'string');
    }
  });
});
