import { resolve } from 'node:path';
import type { ServerTlsSettings } from '#core/settings.ts';
import type { Config } from '../schema.ts';

/** Relative paths start at `folder`. */
export function buildServerTls(tls: Config['server']['tls'], folder: string): ServerTlsSettings | null {
  if (tls === undefined) return null;
  const { client_certificates: clients } = tls;
  return {
    port: tls.listen_port ?? null,
    certificates: tls.certificates.map(({ cert_file, key_file }) => ({
      certFile: resolve(folder, cert_file),
      keyFile: resolve(folder, key_file),
    })),
    minVersion: tls.min_version,
    http2StreamsMax: tls.http2 ? tls.http2_streams_max : 0,
    clientCertificates:
      clients === undefined
        ? null
        : { isRequired: clients.mode === 'require', caFile: resolve(folder, clients.ca_file) },
  };
}
