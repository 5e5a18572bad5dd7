import { isIP } from 'node:net';
import type { Endpoint } from '#core/endpoint.ts';

/** Of names by RFC 1035; of addresses, whose zone (RFC 4007 §11) has no bound of its own, by us. */
const HOST_LENGTH_MAX = 253;

/** Underscores are no part of host names (RFC 952), but of container names that resolve like them. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** A name for DNS, or an IPv4 or IPv6 address without brackets. */
export function isHost(text: string): boolean {
  return (isIP(text) !== 0 && text.length <= HOST_LENGTH_MAX) || isHostName(text);
}

export function isHostName(text: string): boolean {
  if (text.length > HOST_LENGTH_MAX) return false;
  const labels = text.split('.');
  // A last label of digits is a mistyped IPv4 address, never a name (RFC 3696 §2).
  return labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}

/** An address, or a block such as `10.0.0.0/8` (RFC 4632) or `2001:db8::/32` (RFC 4291 §2.3). */
export function isAddressBlock(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

/** Reads `host:port` or `[ipv6]:port`, or returns null. */
export function parseEndpoint(text: string): Endpoint | null {
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const address = parts?.[1] ?? parts?.[2] ?? '';
  const port = Number(parts?.[3]);
  const isWritten = parts?.[1] === undefined ? isHost(address) : isIP(address) === 6;
  return isWritten && port >= 1 && port <= 65535 ? { address, port } : null;
}

/** `host` or `host:port`, as in a Host header. */
export function isAuthority(text: string): boolean {
  return parseEndpoint(text) !== null || parseEndpoint(`${text}:80`) !== null;
}

/** Whether only programs of this machine can connect to `address`. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/** Whether a listener on `address` hears on every address of the machine. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

export type UpstreamOrigin = Endpoint & { readonly tls: boolean };

/** Reads `http(s)://host[:port]`, with nothing behind it, or returns null. */
export function parseUpstreamUrl(text: string): UpstreamOrigin | null {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  if (url.username || url.password || url.pathname !== '/' || url.search || url.hash) return null;
  const tls = url.protocol === 'https:';
  const address = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port);
  return isHost(address) && port > 0 ? { address, port, tls } : null;
}
