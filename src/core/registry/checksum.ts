import { hash } from 'node:crypto';
import { inOrder, type UpstreamRecord } from './record.ts';

const DIGITS = 16;

/**
 * Equal for equal registries, in whatever order their records come, and different for different ones but by a
 * chance of 2^-64. Only the content counts: a registry that was made anew has the checksum that it had.
 */
export function checksumOf(records: Iterable<UpstreamRecord>): string {
  return hash('sha256', JSON.stringify(inOrder(records).map(fields)), 'hex').slice(0, DIGITS);
}

/**
 * Every field by its place: the order in which an object has its keys must not matter. What earlier versions do not
 * know comes last, and only where it says something.
 */
function fields(record: UpstreamRecord) {
  const { pool, name, address, port, weight, state, drainMs, tls, host, protocol, inFlightMax } = record;
  const isPlain = protocol === 'http/1.1' && inFlightMax === null;
  return [
    pool,
    name,
    address,
    port,
    weight,
    state,
    drainMs,
    tls && [tls.serverName, tls.ca, tls.verify],
    host.kind === 'fixed' ? [host.value] : host.kind,
    ...(isPlain ? [] : [protocol, inFlightMax]),
  ];
}
