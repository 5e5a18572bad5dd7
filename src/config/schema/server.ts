import { z } from 'zod';
import { SPARE_WORKERS } from '#shared/state.ts';
import { WORKERS_MAX } from '#shared/upstream-cells.ts';
import { BodyBytesMax, RateMin } from './forwarding.ts';
import { rule } from './section.ts';
import { ServerTls } from './server-tls.ts';
import { AddressBlock, Host, integer, milliseconds, Port } from './values.ts';

const MEBIBYTE = 1_048_576;

const Overload = z.strictObject({
  lag_ms: milliseconds(0)
    .default(250)
    .describe(
      'How late the event loop of a worker may be. Beyond, it refuses a share of the new requests, which grows as long as it is so late; `/health` is answered. `0`: none.',
    ),
});

const ServerSection = z.strictObject({
  listen_address: Host.default('0.0.0.0').describe('Address that clients connect to.'),
  listen_port: Port.default(8080).describe('Port that clients connect to.'),
  workers: z
    .union([z.enum(['auto']), integer(1, WORKERS_MAX - SPARE_WORKERS)])
    .default('auto')
    .describe('Worker threads that serve requests; `auto` is one for each core.'),
  max_connections: integer(1, 1_000_000)
    .default(20_000)
    .describe('Client connections of the whole instance; those beyond get 503 and are closed.'),
  connections_per_client_max: integer(1, 1_000_000)
    .default(16_000)
    .describe(
      'Connections of one client address, an IPv6 one by its `limits.ipv6_prefix`, with the whole instance; those beyond get 503 and are closed. `trusted_proxies` may have any number.',
    ),
  overload: Overload.prefault({}).describe('When new requests get 503, so that those under way are served.'),
  buffered_bytes_max: z
    .union([z.enum(['auto']), integer(MEBIBYTE, 2 ** 40, 'bytes')])
    .default('auto')
    .describe(
      'Bytes that the instance holds for slow readers and for further attempts. From half of it on, request bodies are not kept for another attempt; at all of it, new requests get 503. `auto` is a quarter of the memory that the process may have.',
    ),
  trusted_proxies: z
    .array(AddressBlock)
    .default([])
    .describe(
      'Proxies in front of this one. Only from them are `X-Forwarded-*` and `Forwarded` believed; from anyone else they are replaced.',
    ),
  proxy_protocol: z
    .boolean()
    .default(false)
    .describe(
      'Whether every connection begins with a header of the PROXY protocol, version 1 or 2, whose source address is then the client. Connections of others than `trusted_proxies`, which must be given, are refused.',
    ),
  keep_alive_ms: milliseconds(1).default(75_000).describe('How long an idle client connection is kept open.'),
  head_ms: milliseconds(1).default(10_000).describe("Time for a request's line and headers to arrive."),
  head_bytes_max: integer(1024, 1_048_576, 'bytes')
    .default(16_384)
    .describe("Size of a request's line and headers; longer ones get 431."),
  header_count_max: integer(1, 10_000)
    .default(256)
    .describe('Headers of a request, counted by line; more get 431.'),
  target_bytes_max: integer(256, 1_048_576, 'bytes')
    .default(8_192)
    .describe('Length of a request target: path and query; longer ones get 414.'),
  body_bytes_max: BodyBytesMax.default(1_073_741_824).describe(
    'Size of a request body; longer ones get 413, before anything is forwarded where their length is declared, and else when they exceed it. `null`: any.',
  ),
  body_rate_min: RateMin.default(240).describe(
    'Least rate at which a client has to send a body, until it is answered; slower ones get 408. `0`: any.',
  ),
  response_rate_min: RateMin.default(1024).describe(
    'Least rate at which a client has to read its answer, or it is cut. `0`: any.',
  ),
  rate_window_ms: milliseconds(100)
    .default(10_000)
    .describe('Time over which these rates are looked at: for so long a client may stop.'),
  requests_per_connection_max: integer(1, 1_000_000_000)
    .default(10_000)
    .describe(
      'Requests on one client connection; the last answer says `Connection: close`, and the client may come back on another one, at another worker.',
    ),
  tls: ServerTls.optional().describe('Encryption with clients: see [TLS](tls.md). Left out: none.'),
});

const ServerView = z.object({ proxy_protocol: z.boolean(), trusted_proxies: z.array(z.unknown()) });

export const Server = rule(ServerSection, ServerView, ({ proxy_protocol, trusted_proxies }, report) => {
  if (!proxy_protocol || trusted_proxies.length > 0) return;
  report(
    ['proxy_protocol'],
    'anyone could claim any address: list who may announce clients in `trusted_proxies`',
  );
});
