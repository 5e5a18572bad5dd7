import type { IncomingMessage } from 'node:http';
import type { RequestHead } from '#actors/request/exchange.ts';
import { type FlatHeaders, headerList, headerValue } from '#core/headers.ts';
import { parseServerTarget, parseTarget } from '#core/target.ts';
import type { AddressBlocks } from './address-blocks.ts';
import { clientAddress, peerAddress } from './client-address.ts';

/** What RFC 3986 §3.2 allows in an authority without user information. */
const AUTHORITY = /^(?:[a-z0-9._~!$&'()*+,;=%-]+|\[[0-9a-f:.]+\])(?::\d{0,5})?$/i;

/** The head of a request as the parser delivered it, understood; null where it makes no sense. */
export function readHead(
  incoming: IncomingMessage,
  upgrade: string | null,
  trusted: AddressBlocks,
  receivedMs: number,
): RequestHead | null {
  const { method = '', url = '', rawHeaders: headers } = incoming;
  const target = (method === 'OPTIONS' ? parseServerTarget(url) : null) ?? parseTarget(url);
  if (target === null) return null;
  const isHttp10 = incoming.httpVersion === '1.0';
  // The parser lets 0.9 and 2.0 pass, whose messages look otherwise (RFC 9112 §2.3).
  if (!isHttp10 && incoming.httpVersion !== '1.1') return null;
  const host = readHost(headers, target.authority, isHttp10);
  if (host === null || !isFramed(headers, isHttp10)) return null;
  const peer = peerAddress(incoming.socket.remoteAddress);
  return {
    method,
    target: target.origin,
    path: target.path,
    host,
    headers,
    clientAddress: clientAddress(peer, headers, trusted),
    peerAddress: peer,
    peerTrusted: trusted.has(peer),
    scheme: 'http',
    protocol: isHttp10 ? '1.0' : '1.1',
    upgrade,
    receivedMs,
  };
}

/**
 * The authority that a request is for (RFC 9112 §3.2): exactly one Host, which an absolute target must
 * repeat. HTTP/1.0 may leave it out.
 */
function readHost(headers: FlatHeaders, authority: string | null, isHttp10: boolean): string | null {
  if (authority !== null && !AUTHORITY.test(authority)) return null;
  const host = headerList(headers, 'host');
  if (host === null) return isHttp10 ? (authority ?? '') : null;
  if (!AUTHORITY.test(host) || host !== headerValue(headers, 'host')) return null;
  return authority === null || authority.toLowerCase() === host.toLowerCase() ? host : null;
}

/**
 * Whether the transfer coding is none, or the one that we take off (RFC 9112 §6.1, §7). The parser lets
 * others through in front of it, which would reach the upstream without their name.
 */
function isFramed(headers: FlatHeaders, isHttp10: boolean): boolean {
  const coding = headerList(headers, 'transfer-encoding');
  return coding === null || (!isHttp10 && coding.trim().toLowerCase() === 'chunked');
}

/** Length of the body that a head declares: 0 without one, Infinity for a chunked one. */
export function declaredBytes(headers: FlatHeaders): number {
  if (headerValue(headers, 'transfer-encoding') !== null) return Number.POSITIVE_INFINITY;
  return Number(headerValue(headers, 'content-length') ?? 0);
}

/** How often the request has passed through a proxy of this name already (RFC 9110 §7.6.3). */
export function timesThrough(headers: FlatHeaders, pseudonym: string | null): number {
  const via = pseudonym === null ? null : headerList(headers, 'via');
  if (via === null) return 0;
  return via.split(',').filter((hop) => hop.trim().split(/[ \t]+/)[1] === pseudonym).length;
}
