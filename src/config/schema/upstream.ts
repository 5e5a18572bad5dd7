import { z } from 'zod';
import { formatEndpoint } from '#core/endpoint.ts';
import { isAuthority, parseUpstreamUrl } from '../hosts.ts';
import { Anything, expecting, rule, secret } from './section.ts';
import { Host, HostName, integer, Port, parsed, text } from './values.ts';

const Tls = z.strictObject({
  server_name: HostName.optional().describe(
    'Name that is asked for (SNI) and that the certificate must have. Default: the address, if it is a name; without a name, none is asked for and the certificate must have the IP address.',
  ),
  ca_file: text(/^[^\0]{1,4096}$/, 'the path of a PEM file')
    .optional()
    .describe(
      "PEM certificates to trust in place of the system's; a relative path starts at this file's folder.",
    ),
  verify: z.boolean().default(true).describe('Whether the certificate is checked.'),
});

export const HostHeader = expecting(
  z.string().refine(isAuthority),
  '`client`, `upstream`, or the text to send, such as `api.example.com`',
);

export const Protocol = z.enum(['http/1.1', 'h2']);

/** Of a pool, where they hold for all of its upstreams, and of an upstream, where they hold first. */
export const UpstreamDefaults = {
  host_header: HostHeader.optional().describe(
    "The Host header that upstreams get: `client` (the client's own), `upstream` (address and port), or a fixed text. Default: `client`; over TLS, the server's name.",
  ),
  tls: z
    .union([z.boolean(), Tls])
    .optional()
    .describe('Whether upstreams are spoken to over TLS, and how. Default: as the `url` says, else `false`.'),
  protocol: Protocol.optional().describe(
    'What upstreams are spoken to in: `http/1.1`, or `h2` for HTTP/2, as gRPC needs it. Without TLS, `h2` is spoken from the first byte on. Default: `http/1.1`.',
  ),
};

export const UpstreamName = text(/^[!-.0-~]{1,256}$/, 'a name of at most 256 visible characters without `/`');

export const Weight = integer(1, 256);

export const InFlightMax = integer(1, 1_000_000);

const UpstreamSection = z.strictObject({
  name: UpstreamName.optional().describe(
    'Names the upstream in `X-Backend`, metrics and commands. Default: `address:port`.',
  ),
  address: Host.optional().describe('Host name or IP address. Needed unless there is a `url`.'),
  port: Port.optional().describe('Needed unless there is a `url`.'),
  url: secret(
    parsed(parseUpstreamUrl),
    '`http://host:port` or `https://host:port`, without user, path or query',
  )
    .optional()
    .describe('Address, port and TLS in one, in place of `address` and `port`: `https://host:port`.'),
  weight: Weight.default(1).describe('Share of the requests, relative to the other upstreams of the pool.'),
  in_flight_max: InFlightMax.optional().describe(
    'Requests that it has in flight at most. Default: as the pool says, which has to say something.',
  ),
  ...UpstreamDefaults,
});

const OriginView = z.object({ url: Anything, address: Anything, port: Anything });

const WithOrigin = rule(UpstreamSection, OriginView, (upstream, report) => {
  for (const key of ['address', 'port'] as const) {
    if (upstream.url === undefined && upstream[key] === undefined) {
      report([], `\`${key}\` is missing; give \`address\` and \`port\`, or a \`url\``);
    }
    if (upstream.url !== undefined && upstream[key] !== undefined) {
      report([key], 'the `url` says this already; give one or the other');
    }
  }
});

const TlsView = z.object({ url: z.object({ tls: z.boolean() }), tls: Anything });

export const Upstream = rule(WithOrigin, TlsView, ({ url, tls }, report) => {
  if (url.tls && tls === false) report(['tls'], 'the `url` says https');
  if (!url.tls && tls !== undefined && tls !== false)
    report(['tls'], 'the `url` says http; write https there');
});

const EndpointView = z.object({ address: z.string(), port: z.number() });

const NameView = z.union([
  z.object({ name: z.string() }).transform(({ name }) => ({ name, isGiven: true })),
  EndpointView.transform((endpoint) => ({ name: formatEndpoint(endpoint), isGiven: false })),
  z.object({ url: EndpointView }).transform(({ url }) => ({ name: formatEndpoint(url), isGiven: false })),
]);

/** The name of an upstream, given or by default; null while it is too malformed to have one. */
export function nameOf(upstream: unknown): { readonly name: string; readonly isGiven: boolean } | null {
  return NameView.safeParse(upstream).data ?? null;
}
