import type { RequestHead } from '#actors/request/exchange.ts';
import { fieldName } from '#core/field-names.ts';
import type { Fields } from '#core/fields.ts';
import { RecentTexts } from '#core/recent-texts.ts';
import { parseServerTarget, parseTarget } from '#core/target.ts';
import type { AddressBlocks } from './address-blocks.ts';
import type { ReceivedHead } from './arrival.ts';
import { clientAddress } from './client-address.ts';

const HOST = fieldName('host');
const VIA = fieldName('via');

/** What RFC 3986 §3.2 allows in an authority without user information. */
const AUTHORITY = /^(?:[a-z0-9._~!$&'()*+,;=%-]+|\[[0-9a-f:.]+\])(?::\d{0,5})?$/i;

/** To compare two costs a tenth of looking at each character of one. */
const authorities = new RecentTexts((text) => (AUTHORITY.test(text) ? text : undefined));

/** The head of a request, understood; null where it makes no sense. */
export function readHead(
  { method, target: received, protocol, headers, peerAddress, tls, upgrade }: ReceivedHead,
  trusted: AddressBlocks,
  receivedMs: number,
): RequestHead | null {
  const target = (method === 'OPTIONS' ? parseServerTarget(received) : null) ?? parseTarget(received);
  if (target === null) return null;
  const host = readHost(headers, target.authority, protocol === '1.0');
  if (host === null) return null;
  return {
    method,
    target: target.origin,
    path: target.path,
    host,
    headers,
    clientAddress: clientAddress(peerAddress, headers, trusted),
    peerAddress,
    peerTrusted: trusted.has(peerAddress),
    scheme: tls === null ? 'http' : 'https',
    tls,
    protocol,
    upgrade,
    receivedMs,
  };
}

/**
 * The authority that a request is for (RFC 9112 §3.2): exactly one Host, which an absolute target must
 * repeat. HTTP/1.0 may leave it out.
 */
function readHost(headers: Fields, authority: string | null, isHttp10: boolean): string | null {
  if (authority !== null && asAuthority(authority) === null) return null;
  const at = headers.find(HOST);
  if (at === -1) return isHttp10 ? (authority ?? '') : null;
  const host = asAuthority(headers.valueAt(at));
  if (host === null || headers.find(HOST, at + 1) !== -1) return null;
  return authority === null || authority.toLowerCase() === host.toLowerCase() ? host : null;
}

/** The text if it is an authority, as the one string of its kind where it is known; else null. */
function asAuthority(text: string): string | null {
  return authorities.find(text) ?? (AUTHORITY.test(text) ? text : null);
}

/** How often the request has passed through a proxy of this name already (RFC 9110 §7.6.3). */
export function timesThrough(headers: Fields, pseudonym: string | null): number {
  const via = pseudonym === null ? null : headers.list(VIA);
  if (via === null) return 0;
  return via.split(',').filter((hop) => hop.trim().split(/[ \t]+/)[1] === pseudonym).length;
}
