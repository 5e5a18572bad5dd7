import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { ProbeEvent } from '#actors/health-check/machine.ts';
import { probeStep } from '#control/health/probe-step.ts';
import { systemClock } from '#core/clock.ts';
import type { HealthCheck, HttpProbe } from '#core/health/check.ts';
import type { Upstream } from '#core/table.ts';
import { createAuthority } from '#test/support/certificates.ts';
import { freePort, until } from '#test/support/process.ts';
import { sampleCheck } from '#test/support/sample-checks.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { startRawUpstream, startUpstream } from '#test/support/upstream.ts';

const http = (changes: Partial<HttpProbe> = {}): Partial<HealthCheck> => ({
  probe: {
    kind: 'http',
    method: 'GET',
    path: '/health?deep=1',
    headers: [],
    expected: { statuses: [[200, 299]], text: null },
    ...changes,
  },
});

/** Probes once; resolves with what the machine is told after the probe has begun. */
function probe(upstream: Partial<Upstream>, check: Partial<HealthCheck> = {}): Promise<ProbeEvent> {
  return new Promise((resolve) => {
    const target = { upstream: sampleUpstream(upstream), check: sampleCheck(check) };
    probeStep(systemClock)(target, {
      tell(event) {
        if (event.type !== 'probe.begun') resolve(event);
      },
    });
  });
}

async function outcome(...args: Parameters<typeof probe>): Promise<string> {
  const event = await probe(...args);
  if (event.type !== 'probe.ended') return event.type;
  return event.outcome.passed ? 'passed' : event.outcome.reason;
}

async function listen(t: TestContext, server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('a tcp probe', () => {
  it('passes when a connection can be made, and leaves none open', async (t) => {
    let open = 0;
    const { port } = await startRawUpstream(t, (socket) => {
      open++;
      socket.on('close', () => open--).resume();
    });
    assert.equal(await outcome({ port }), 'passed');
    await until('the connection is closed', () => open === 0);
  });

  it('says why it fails', async () => {
    assert.equal(await outcome({ port: await freePort() }), 'connection refused');
    assert.equal(await outcome({ address: 'no-such-name.invalid' }), 'name not found');
  });

  it('asks the port that is given in place of the upstream’s', async (t) => {
    const { port } = await startRawUpstream(t, () => {});
    assert.equal(await outcome({ port: await freePort() }, { port }), 'passed');
  });

  it('includes TLS, with the upstream’s own certificates', async (t) => {
    const authority = createAuthority(t);
    const server = createTlsServer(authority.issue('DNS:red.example'));
    const port = await listen(t, server);
    const tls = { serverName: 'red.example', ca: authority.pem, verify: true };
    assert.equal(await outcome({ port, tls }), 'passed');
    assert.match(await outcome({ port, tls: { ...tls, ca: null } }), /^failed: UNABLE_TO_VERIFY/);
    assert.match(await outcome({ port, tls: { ...tls, serverName: 'blue.example' } }), /^failed: ERR_TLS/);
  });
});

describe('an http probe', () => {
  it('asks as it was told to, marked as a probe', async (t) => {
    const requests: IncomingMessage[] = [];
    const { port } = await startUpstream(t, 'red', (request, response) => {
      requests.push(request);
      response.end();
    });
    const changes = { method: 'HEAD', headers: [['X-Probe', 'yes']] as const };
    assert.equal(await outcome({ port }, http(changes)), 'passed');
    const [{ method, url, headers } = assert.fail()] = requests;
    assert.deepEqual([method, url], ['HEAD', '/health?deep=1']);
    assert.equal(headers['user-agent'], 'signalbox-health');
    assert.equal(headers['x-probe'], 'yes');
    assert.equal(headers.host, `127.0.0.1:${port}`);
    assert.equal(headers.connection, 'close');
  });

  it('sends the Host that requests have, or the one that it is told', async (t) => {
    const hosts: (string | undefined)[] = [];
    const { port } = await startUpstream(t, 'red', ({ headers }, response) => {
      hosts.push(headers.host);
      response.end();
    });
    const upstream = { port, host: { kind: 'fixed', value: 'red.example' } } as const;
    await probe(upstream, http());
    await probe(upstream, http({ headers: [['Host', 'check.example']] }));
    assert.deepEqual(hosts, ['red.example', 'check.example']);
  });

  it('passes with an expected status, and the expected text in the body', async (t) => {
    let status = 200;
    const { port } = await startUpstream(t, 'red', (_, response) => {
      response.writeHead(status).end(`${' '.repeat(10_000)}ready`);
    });
    const expecting = (text: string | null) => http({ expected: { statuses: [[200, 204]], text } });
    assert.equal(await outcome({ port }, expecting('ready')), 'passed');
    assert.equal(await outcome({ port }, expecting('steady')), 'body without the expected text');
    status = 503;
    assert.equal(await outcome({ port }, expecting(null)), 'status 503');
  });

  it('does not read a body without end', async (t) => {
    let isClosed = false;
    const { port } = await startUpstream(t, 'red', (_, response) => {
      response.on('close', () => {
        isClosed = true;
      });
      const write = () => {
        while (!isClosed && response.write('x'.repeat(16_384)));
        if (!isClosed) response.once('drain', write);
      };
      write();
    });
    const expected = { statuses: [[200, 200]] as const, text: 'never' };
    assert.equal(await outcome({ port }, http({ expected })), 'body without the expected text');
    await until('the connection is closed', () => isClosed);
  });

  it('fails when the answer is cut off, or is none', async (t) => {
    const mute = await startRawUpstream(t, (socket) => socket.once('data', () => socket.destroy()));
    assert.equal(await outcome({ port: mute.port }, http()), 'connection closed');
    const strange = await startRawUpstream(t, (socket) =>
      socket.once('data', () => socket.end('SSH-2.0\r\n')),
    );
    assert.equal(await outcome({ port: strange.port }, http()), 'answer is not HTTP');
    const cut = await startRawUpstream(t, (socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'));
    });
    const expected = { statuses: [[200, 200]] as const, text: 'x' };
    assert.equal(await outcome({ port: cut.port }, http({ expected })), 'connection closed');
  });

  it('goes over TLS, as the upstream’s requests do', async (t) => {
    const authority = createAuthority(t);
    const server = createTlsServer(authority.issue('DNS:red.example'), (_, response) => response.end('ok'));
    const port = await listen(t, server);
    const tls = { serverName: 'red.example', ca: authority.pem, verify: true };
    assert.equal(await outcome({ port, tls }, http()), 'passed');
  });

  it('lets go of its connection when it is given up', async (t) => {
    let open = 0;
    const { port } = await startRawUpstream(t, (socket) => {
      open++;
      socket.on('close', () => open--).resume();
    });
    const target = { upstream: sampleUpstream({ port }), check: sampleCheck(http()) };
    const told: string[] = [];
    const work = probeStep(systemClock)(target, { tell: ({ type }) => told.push(type) });
    await until('it is connected', () => open === 1);
    work?.stop();
    await until('it is closed', () => open === 0);
    assert.deepEqual(told, ['probe.begun']);
  });
});
