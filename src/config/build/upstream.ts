import { isIP } from 'node:net';
import { type Endpoint, formatEndpoint } from '#core/endpoint.ts';
import type { UpstreamDraft } from '#core/registry/record.ts';
import type { Upstream, UpstreamTls } from '#core/table.ts';
import type { PoolConfig } from './pools.ts';

type UpstreamConfig = Partial<PoolConfig['upstreams'][number]> & { readonly weight: number };

/** What a pool says of all of its upstreams. */
export type UpstreamDefaults = Pick<PoolConfig, 'tls' | 'host_header' | 'protocol'>;

const HTTPS_PORT = 443;

/** `pemByName` has the contents of every `ca_file`. */
export function buildUpstream(
  upstream: UpstreamConfig,
  pool: UpstreamDefaults,
  pemByName: ReadonlyMap<string, string>,
): Omit<UpstreamDraft, 'pool'> {
  const endpoint = endpointOf(upstream);
  const tls = hasTls(upstream, pool) ? buildTls(upstream, pool, endpoint, pemByName) : null;
  return {
    name: upstream.name ?? formatEndpoint(endpoint),
    address: endpoint.address,
    port: endpoint.port,
    weight: upstream.weight,
    tls,
    protocol: upstream.protocol ?? pool.protocol ?? 'http/1.1',
    inFlightMax: upstream.in_flight_max ?? null,
    host: buildHost(upstream.host_header ?? pool.host_header, endpoint, tls),
  };
}

function endpointOf({ url, address, port }: UpstreamConfig): Endpoint {
  if (url !== undefined) return url;
  if (address !== undefined && port !== undefined) return { address, port };
  throw new TypeError('the schema lets no upstream pass without url, or address and port');
}

/** What is said closest to the upstream holds: its own `tls`, its URL, its pool's `tls`. */
function hasTls(upstream: UpstreamConfig, pool: UpstreamDefaults): boolean {
  return (upstream.tls ?? upstream.url?.tls ?? pool.tls ?? false) !== false;
}

function buildTls(
  upstream: UpstreamConfig,
  pool: UpstreamDefaults,
  { address }: Endpoint,
  pemByName: ReadonlyMap<string, string>,
): UpstreamTls {
  const options = [upstream.tls, pool.tls].find((tls) => typeof tls === 'object');
  return {
    // An IP address is no name to ask for (RFC 6066 §3): without one, the certificate must have the address.
    serverName: options?.server_name ?? (isIP(address) === 0 ? address : ''),
    ca: options?.ca_file === undefined ? null : (pemByName.get(options.ca_file) ?? null),
    verify: options?.verify ?? true,
  };
}

function buildHost(
  header: string | undefined,
  { port }: Endpoint,
  tls: UpstreamTls | null,
): Upstream['host'] {
  if (header === 'client' || header === 'upstream') return { kind: header };
  if (header !== undefined) return { kind: 'fixed', value: header };
  if (tls === null) return { kind: 'client' };
  // A server that is asked for one name and then given another answers 421 (RFC 9110 §15.5.20).
  if (tls.serverName === '') return { kind: 'upstream' };
  return { kind: 'fixed', value: port === HTTPS_PORT ? tls.serverName : `${tls.serverName}:${port}` };
}
