import { isIP } from 'node:net';
import { fieldName } from '#core/field-names.ts';
import type { Fields } from '#core/fields.ts';
import type { AddressBlocks } from './address-blocks.ts';

const FORWARDED_FOR = fieldName('x-forwarded-for');

/** A peer's address as text: an IPv4 address that came through an IPv6 socket is IPv4. */
export function peerAddress(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined) return '';
  return remoteAddress.startsWith('::ffff:') && remoteAddress.includes('.')
    ? remoteAddress.slice('::ffff:'.length)
    : remoteAddress;
}

/**
 * The client's address: the peer's, unless the peer is trusted; then the right-most address of
 * X-Forwarded-For that is not trusted itself. What stands further left was said by someone unknown.
 */
export function clientAddress(peer: string, headers: Fields, trusted: AddressBlocks): string {
  if (!trusted.has(peer)) return peer;
  const hops = headers.list(FORWARDED_FOR)?.split(',') ?? [];
  let client = peer;
  for (const hop of hops.reverse()) {
    const address = addressOf(hop.trim());
    if (address === null) return client;
    client = address;
    if (!trusted.has(address)) return client;
  }
  return client;
}

/** Some proxies write a port, and brackets around IPv6. Null for anything that is no address. */
function addressOf(hop: string): string | null {
  if (isIP(hop) !== 0) return peerAddress(hop.toLowerCase());
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::\d{1,5})?$/i.exec(hop);
  const address = match?.[1] ?? match?.[2] ?? '';
  return isIP(address) === 0 ? null : peerAddress(address.toLowerCase());
}
