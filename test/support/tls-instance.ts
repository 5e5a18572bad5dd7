import type { TestContext } from 'node:test';
import { createAuthority, identityFiles } from './certificates.ts';
import { type Config, freePort, startInstance, type Upstreams } from './process.ts';

/**
 * An instance with a certificate for one.example, whose TLS port is beside the other one. `tls` is what else stands in
 * `server.tls`; `options` are what a client connects by.
 */
export async function startTlsInstance(
  t: TestContext,
  upstreams: Upstreams,
  config: Config = {},
  tls: object = {},
) {
  const authority = createAuthority(t);
  const files = identityFiles(t, authority.issue('DNS:one.example'));
  const port = await freePort();
  const certificates = [{ cert_file: files.certFile, key_file: files.keyFile }];
  const instance = await startInstance(t, upstreams, {
    ...config,
    server: { tls: { listen_port: port, certificates, ...tls }, ...config.server },
  });
  const options = { port, host: '127.0.0.1', servername: 'one.example', ca: authority.pem };
  return { authority, files, instance, options };
}
