import { formatEndpoint } from '../endpoint.ts';
import type { Upstream } from '../table.ts';
import type { UpstreamRecord } from './record.ts';

/** A record as it is served: of several addresses that a name stands for, one. */
export type EndpointRecord = UpstreamRecord & Pick<Upstream, 'hostName'>;

/**
 * The endpoints of an upstream: one for each of the `addresses` that its host name stands for. While there are
 * none, or none were asked for, it is the one that the record says.
 */
export function endpointsOf(record: UpstreamRecord, addresses: readonly string[]): EndpointRecord[] {
  if (addresses.length === 0) return [record];
  const { address: hostName, host } = record;
  // What names the upstream to itself stays its name.
  const named = host.kind === 'upstream' ? { kind: 'fixed' as const, value: formatEndpoint(record) } : host;
  return addresses.map((address) => ({ ...record, address, hostName, host: named }));
}
