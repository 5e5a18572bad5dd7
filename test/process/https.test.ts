import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { ask } from '#test/support/load.ts';
import { startInstance } from '#test/support/process.ts';

/** An https upstream for one.example, with a certificate of a CA that nobody else knows. */
async function startSecure(t: TestContext): Promise<{ port: number; caFile: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string) => join(folder, name);
  const names = ['-subj', '/CN=one.example', '-addext', 'subjectAltName=DNS:one.example'];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      ...names,
    ].concat(['-keyout', file('key.pem'), '-out', file('cert.pem')]),
    { stdio: 'ignore' },
  );
  const tls = { key: readFileSync(file('key.pem')), cert: readFileSync(file('cert.pem')) };
  const server = createServer(tls, (incoming, response) => {
    response.end(`${(incoming.socket as TLSSocket).servername} ${incoming.headers.host}`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the system gave no port');
  return { port: address.port, caFile: file('cert.pem') };
}

function upstreams(port: number, tls: unknown, host?: string) {
  const upstream = { name: 'secure', address: '127.0.0.1', port, tls };
  return {
    load_balancing: { upstreams: [host === undefined ? upstream : { ...upstream, host_header: host }] },
  };
}

describe('an https upstream', () => {
  it('is verified against its own CA and name, and gets the Host it wants', async (t) => {
    const { port, caFile } = await startSecure(t);
    const tls = { server_name: 'one.example', ca_file: caFile };
    const instance = await startInstance(t, [], upstreams(port, tls, 'host.example'));
    const { status, body } = await ask(instance.url);
    assert.deepEqual({ status, body }, { status: 200, body: 'one.example host.example' });
  });

  it('whose certificate cannot be verified is refused', async (t) => {
    const { port, caFile } = await startSecure(t);
    for (const tls of [{ server_name: 'one.example' }, { server_name: 'two.example', ca_file: caFile }]) {
      const instance = await startInstance(t, [], upstreams(port, tls));
      const response = await fetch(instance.url);
      assert.equal(response.status, 502);
      assert.equal(response.headers.get('proxy-status'), 'signalbox; error=tls_protocol_error');
    }
  });

  it('is not verified where the configuration says so', async (t) => {
    const { port } = await startSecure(t);
    const instance = await startInstance(
      t,
      [],
      upstreams(port, { server_name: 'any.example', verify: false }),
    );
    assert.match((await ask(instance.url)).body, /^any\.example /);
  });
});
