import { z } from 'zod';
import { TLS_VERSIONS } from '#core/tls.ts';
import { expecting } from './section.ts';
import { integer, Port, text } from './values.ts';

/** Each is read every few seconds, and kept by every worker. */
const CERTIFICATES_MAX = 1000;

const File = text(/^[^\0]{1,4096}$/, 'the path of a PEM file');

const Certificate = z.strictObject({
  cert_file: File.describe(
    'PEM certificate, followed by those that lead to its root; its subject alternative names say which hosts it is for, `*.example.com` among them.',
  ),
  key_file: File.describe('PEM private key of the certificate, without a passphrase.'),
});

const ClientCertificates = z.strictObject({
  mode: z
    .enum(['request', 'require'])
    .default('require')
    .describe(
      '`require`: clients without a certificate are turned away. `request`: they are served, only those with one that cannot be verified are not.',
    ),
  ca_file: File.describe('PEM certificates that those of clients have to lead to.'),
});

export const ServerTls = z.strictObject({
  listen_port: Port.optional().describe(
    'Port that speaks TLS, beside `server.listen_port` without it. Left out: `server.listen_port` is the one that speaks TLS.',
  ),
  certificates: expecting(
    z.array(Certificate).min(1).max(CERTIFICATES_MAX),
    `a list of 1 to ${CERTIFICATES_MAX} certificates`,
  ).describe(
    'By the name that a client asks for (SNI) one of them is chosen; for any other name, or none, the first. Files that change are taken up without a restart; a relative path starts at the folder of this configuration.',
  ),
  min_version: z.enum(TLS_VERSIONS).default('TLSv1.2').describe('The oldest version that is spoken.'),
  http2: z
    .boolean()
    .default(true)
    .describe('Whether clients may choose HTTP/2 in the handshake. Upstreams are spoken to as before.'),
  http2_streams_max: integer(1, 10_000)
    .default(100)
    .describe('Requests that a client may have under way at once on one HTTP/2 connection.'),
  client_certificates: ClientCertificates.optional().describe(
    'Certificates that clients prove with who they are. Left out: none are asked for.',
  ),
});
