import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, describe, it, type TestContext } from 'node:test';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { systemClock } from '#core/clock.ts';
import { Fields } from '#core/fields.ts';
import type { Table, Upstream, UpstreamTls } from '#core/table.ts';
import { Attempt } from '#http/attempt.ts';
import { failureCause } from '#http/attempt-failure.ts';
import { UpstreamClients } from '#http/upstream-clients.ts';
import { TRANSPORTS, type TransportName } from '#test/http/transport/subject.ts';
import { createAuthority, type Identity } from '#test/support/certificates.ts';
import { until } from '#test/support/process.ts';
import { sampleUpstreamConnections } from '#test/support/sample-settings.ts';
import { samplePool, sampleTable, sampleUpstream } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const authority = createAuthority({ after });

type Server = {
  readonly port: number;
  readonly sockets: Socket[];
  readonly names: TLSSocket['servername'][];
};

/** An upstream that answers every request on a connection with `ok`, unless told otherwise. */
async function startServer(
  t: TestContext,
  { tls, host = '127.0.0.1', isSilent = false }: { tls?: Identity; host?: string; isSilent?: boolean } = {},
): Promise<Server> {
  const sockets: Socket[] = [];
  const names: TLSSocket['servername'][] = [];
  const onSocket = (socket: Socket) => {
    sockets.push(socket);
    if (socket instanceof TLSSocket) names.push(socket.servername);
    socket.on('error', () => {});
    socket.on('data', () => isSilent || socket.write(ANSWER));
  };
  const server = tls === undefined ? createServer(onSocket) : createTlsServer(tls, onSocket);
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets, names };
}

function clientsFor(
  t: TestContext,
  transport: TransportName,
  connectionsMax = 8,
  clock?: VirtualClock,
): UpstreamClients {
  const clients = new UpstreamClients(sampleUpstreamConnections({ transport, connectionsMax }), clock);
  t.after(() => clients.destroy());
  return clients;
}

function secure(port: number, tls: Partial<UpstreamTls>, address = '127.0.0.1'): Upstream {
  return sampleUpstream({ address, port, tls: { serverName: '', ca: authority.pem, verify: true, ...tls } });
}

/** What comes of a request: `ok`, or why it failed. */
function ask(
  clients: UpstreamClients,
  upstream: Upstream,
  host = 'any.test',
  connectMs = 5000,
): Promise<string> {
  return new Promise((resolve) => {
    const attempt = new Attempt(upstream, { firstByteMs: 5000, idleMs: 5000 }, systemClock, {
      informed() {},
      started() {},
      answered: (answer) =>
        answer.deliver({ data: () => true, end: () => resolve('ok'), fail: () => resolve('broken') }),
      failed: (error, written) => resolve(failureCause(error, written)),
      settled() {},
    });
    clients
      .for(upstream, connectMs)
      .dispatch({ method: 'GET', path: '/', headers: Fields.of(['Host', host]) }, attempt);
  });
}

function tableOf(...upstreams: Upstream[]): Table {
  return sampleTable({ pools: { default: samplePool({ upstreams }) } });
}

describe('an upstream that changes its protocol', () => {
  it('is spoken to in the new one from then on, and no more in the old one', async (t) => {
    const { port, sockets } = await startServer(t);
    const clients = clientsFor(t, 'h1');
    const before = sampleUpstream({ port });
    assert.equal(await ask(clients, before), 'ok');
    // The server knows HTTP/1.1 only.
    const after = sampleUpstream({ port, protocol: 'h2' });
    assert.equal(await ask(clients, after), 'upstream_protocol_error');
    clients.retain(tableOf(after));
    await until('the old connection is closed', () => sockets[0]?.closed === true);
  });
});

for (const name of TRANSPORTS) {
  describe(`connections to an upstream, through ${name}`, () => {
    it('are used again, by upstreams that differ in name and weight only', async (t) => {
      const { port, sockets } = await startServer(t);
      const clients = clientsFor(t, name, 1);
      const red = sampleUpstream({ port, name: 'red' });
      for (const upstream of [red, red, sampleUpstream({ port, name: 'blue', weight: 9, slot: 1 })])
        assert.equal(await ask(clients, upstream), 'ok');
      assert.equal(sockets.length, 1);
    });

    it('are as many as they may be, and the rest waits', async (t) => {
      const { port, sockets } = await startServer(t);
      const clients = clientsFor(t, name, 2);
      const upstream = sampleUpstream({ port });
      const answers = await Promise.all(Array.from({ length: 10 }, () => ask(clients, upstream)));
      assert.deepEqual(new Set(answers), new Set(['ok']));
      assert.equal(sockets.length, 2);
    });

    it('reach IPv6 addresses', async (t) => {
      const { port } = await startServer(t, { host: '::1' });
      assert.equal(await ask(clientsFor(t, name), sampleUpstream({ address: '::1', port })), 'ok');
    });

    it('reach names', async (t) => {
      const { port } = await startServer(t);
      assert.equal(await ask(clientsFor(t, name), sampleUpstream({ address: 'localhost', port })), 'ok');
    });
  });

  describe(`a connection that cannot be made, through ${name}`, () => {
    it('is unreachable where nobody listens, or no such name is known', async (t) => {
      const { port } = await startServer(t);
      const clients = clientsFor(t, name);
      assert.equal(
        await ask(clients, sampleUpstream({ address: '127.0.0.2', port })),
        'upstream_unreachable',
      );
      assert.equal(
        await ask(clients, sampleUpstream({ address: 'no.such.invalid', port })),
        'upstream_unreachable',
      );
    });

    it('takes no longer than it may, to the millisecond', async (t) => {
      // undici's own timers tick once a second: 50 ms took a whole one.
      const listener = new Worker(new URL('./deaf-listener.ts', import.meta.url));
      t.after(() => listener.terminate());
      const [{ port }] = await once(listener, 'message');
      const waiting = Array.from({ length: 3 }, () => connect(port, '127.0.0.1').on('error', () => {}));
      t.after(() => {
        for (const socket of waiting) socket.destroy();
      });
      await until('its queue is full', () => waiting.filter((socket) => !socket.connecting).length === 2);
      const clock = new VirtualClock();
      let outcome = '';
      void ask(clientsFor(t, name, 1, clock), sampleUpstream({ port }), 'a', 50).then((end) => {
        outcome = end;
      });
      await until('it is connecting', () => clock.timers === 1);
      await clock.advanceAsync(49.9);
      assert.equal(outcome, '');
      await clock.advanceAsync(0.1);
      await until('it has failed', () => outcome === 'connect_timeout');
    });

    it('takes no longer than it may to agree on keys, either', async (t) => {
      const { port, sockets } = await startServer(t, { isSilent: true });
      const clock = new VirtualClock();
      const outcome = ask(clientsFor(t, name, 1, clock), secure(port, {}), 'a', 50);
      await until('it is connected', () => sockets.length === 1);
      clock.advance(50);
      assert.equal(await outcome, 'connect_timeout');
    });

    it('leaves no timer behind, made or not', async (t) => {
      const { port } = await startServer(t);
      const clock = new VirtualClock();
      const clients = clientsFor(t, name, 1, clock);
      assert.equal(await ask(clients, sampleUpstream({ port })), 'ok');
      assert.equal(
        await ask(clients, sampleUpstream({ address: '127.0.0.2', port })),
        'upstream_unreachable',
      );
      await clients.destroy();
      assert.equal(clock.timers, 0);
    });
  });

  describe(`a secure upstream, through ${name}`, () => {
    const named = authority.issue('DNS:one.example');

    it('is asked for its own name, whatever Host the client sent', async (t) => {
      const { port, sockets, names } = await startServer(t, { tls: named });
      const clients = clientsFor(t, name, 1);
      for (const host of ['evil.test', 'other.test', 'one.example'])
        assert.equal(await ask(clients, secure(port, { serverName: 'one.example' }), host), 'ok');
      assert.deepEqual(names, ['one.example']);
      assert.equal(sockets.length, 1);
    });

    it('at an IP address is asked for no name, and keeps its connection for every Host', async (t) => {
      // undici took the name from the Host header, and connected anew for each other one.
      const { port, names } = await startServer(t, { tls: authority.issue('IP:127.0.0.1') });
      for (const serverName of ['', '127.0.0.1']) {
        names.length = 0;
        const clients = clientsFor(t, name, 1);
        for (const host of ['evil.test', 'other.test', '127.0.0.1'])
          assert.equal(await ask(clients, secure(port, { serverName }), host), 'ok');
        assert.deepEqual(names, [false]);
      }
    });

    it('is refused when its certificate is for someone else', async (t) => {
      const { port } = await startServer(t, { tls: named });
      const clients = clientsFor(t, name);
      for (const serverName of ['two.example', '', '127.0.0.1'])
        assert.equal(await ask(clients, secure(port, { serverName }), 'one.example'), 'upstream_tls_error');
    });

    it('is refused when its certificate has expired', async (t) => {
      const { port } = await startServer(t, { tls: authority.issue('DNS:one.example', -1) });
      assert.equal(
        await ask(clientsFor(t, name), secure(port, { serverName: 'one.example' })),
        'upstream_tls_error',
      );
    });

    it('is refused when its authority is not the one that was named', async (t) => {
      const { port } = await startServer(t, { tls: named });
      const clients = clientsFor(t, name);
      const stranger = createAuthority(t).pem;
      for (const ca of [stranger, null])
        assert.equal(
          await ask(clients, secure(port, { serverName: 'one.example', ca })),
          'upstream_tls_error',
        );
    });

    it('is refused when it speaks no TLS', async (t) => {
      const { port } = await startServer(t);
      assert.equal(
        await ask(clientsFor(t, name), secure(port, { serverName: 'one.example' })),
        'upstream_tls_error',
      );
    });

    it('may have any certificate where nobody verifies it', async (t) => {
      for (const days of [2, -1]) {
        const { port } = await startServer(t, { tls: authority.issue('DNS:one.example', days) });
        for (const serverName of ['two.example', ''])
          assert.equal(
            await ask(clientsFor(t, name), secure(port, { serverName, ca: null, verify: false })),
            'ok',
          );
      }
    });

    it('is verified even after someone else did not ask for that', async (t) => {
      const { port } = await startServer(t, { tls: named });
      const clients = clientsFor(t, name);
      assert.equal(await ask(clients, secure(port, { serverName: 'two.example', verify: false })), 'ok');
      assert.equal(await ask(clients, secure(port, { serverName: 'two.example' })), 'upstream_tls_error');
    });
  });

  describe(`a new table, through ${name}`, () => {
    it('closes the connections that it does not name, and no others', async (t) => {
      const [red, blue] = await Promise.all([startServer(t), startServer(t)]);
      const clients = clientsFor(t, name, 1);
      const [kept, gone] = [red, blue].map(({ port }) => sampleUpstream({ port })) as [Upstream, Upstream];
      for (const upstream of [kept, gone]) await ask(clients, upstream);
      clients.retain(tableOf({ ...kept, name: 'renamed', weight: 7 }));
      await until('the connection has ended', () => blue.sockets[0]?.readableEnded === true);
      assert.equal(await ask(clients, kept), 'ok');
      assert.equal(red.sockets.length, 1);
    });

    it('lets what is under way finish first', async (t) => {
      const { port, sockets } = await startServer(t, { isSilent: true });
      const clients = clientsFor(t, name);
      const outcome = ask(clients, sampleUpstream({ port }));
      await until('it has arrived', () => sockets[0]?.bytesRead !== undefined && sockets[0].bytesRead > 0);
      clients.retain(tableOf());
      sockets[0]?.write(ANSWER);
      assert.equal(await outcome, 'ok');
      await until('the connection has ended', () => sockets[0]?.readableEnded === true);
    });

    it('does not stop a request that was admitted with the old one', async (t) => {
      const { port } = await startServer(t);
      const clients = clientsFor(t, name);
      const upstream = sampleUpstream({ port });
      assert.equal(await ask(clients, upstream), 'ok');
      clients.retain(tableOf());
      assert.equal(await ask(clients, upstream), 'ok');
    });

    it('makes other connections for another way to connect', async (t) => {
      const { port, sockets } = await startServer(t, {
        tls: authority.issue('DNS:one.example,DNS:two.example'),
      });
      const clients = clientsFor(t, name, 1);
      for (const serverName of ['one.example', 'two.example', 'one.example'])
        assert.equal(await ask(clients, secure(port, { serverName })), 'ok');
      assert.equal(sockets.length, 2);
    });
  });

  describe(`the end, through ${name}`, () => {
    it('comes for every connection, also those that wait for their last request', async (t) => {
      const { port, sockets } = await startServer(t, { isSilent: true });
      const clients = new UpstreamClients(sampleUpstreamConnections({ transport: name }));
      const outcomes = [ask(clients, sampleUpstream({ port }))];
      await until(
        'the first has arrived',
        () => sockets[0]?.bytesRead !== undefined && sockets[0].bytesRead > 0,
      );
      clients.retain(tableOf());
      outcomes.push(ask(clients, sampleUpstream({ port })));
      await until('the second has arrived', () => sockets.length === 2);
      await clients.destroy();
      for (const outcome of await Promise.all(outcomes))
        assert.match(outcome, /^upstream_(?:closed|unreachable)$/);
      await until('both connections have ended', () =>
        sockets.every((socket) => socket.readableEnded || socket.closed),
      );
    });
  });
}
