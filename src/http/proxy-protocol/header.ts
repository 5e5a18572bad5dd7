/**
 * The header of the PROXY protocol, version 1 (a line) and 2 (binary), by which a proxy in front says whose
 * connection it passes on. Source: haproxy.org/download/3.0/doc/proxy-protocol.txt, §2.1 and §2.2.
 */
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Of version 1, CRLF included (§2.1). */
export const LINE_BYTES_MAX = 107;
/** Of version 2 after its first 16 bytes: addresses, and whatever else proxies have to say of a connection. */
export const DETAILS_BYTES_MAX = 4096;

export type ProxyHeader = {
  /** Where the bytes after the header begin. */
  readonly end: number;
  /** Whose connection it is; null: the peer's own, as a health check's, or nobody knows. */
  readonly address: string | null;
};

const LINE_START = Buffer.from('PROXY ');
const LINE = /^PROXY (?:UNKNOWN(?: .*)?|(TCP[46]) ([0-9a-fA-F.:]+) ([0-9a-fA-F.:]+) (\d{1,5}) (\d{1,5}))$/;
const PORT_MAX = 65_535;

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
const FIXED_BYTES = 16;
const VERSION_2 = 0x20;
const LOCAL = 0;
const PROXIED = 1;

/** Families of addresses over a byte stream (§2.2), and how many bytes their addresses and ports take. */
const UNSPECIFIED = 0x00;
const TCP4 = 0x11;
const TCP6 = 0x21;
const UNIX = 0x31;
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [UNSPECIFIED, 0],
  [TCP4, 12],
  [TCP6, 36],
  [UNIX, 216],
]);

/** Reads the header that `bytes`, all that came so far, begin with. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  if (startsLike(bytes, SIGNATURE)) return readBinary(bytes);
  return startsLike(bytes, LINE_START) ? readLine(bytes) : 'malformed';
}

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function readLine(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  const lineEnd = bytes.subarray(0, LINE_BYTES_MAX).indexOf('\r\n');
  if (lineEnd === -1) return bytes.length < LINE_BYTES_MAX ? 'incomplete' : 'malformed';
  const match = LINE.exec(bytes.toString('latin1', 0, lineEnd));
  if (match === null) return 'malformed';
  const end = lineEnd + 2;
  const [, family, source = '', target = '', sourcePort, targetPort] = match;
  if (family === undefined) return { end, address: null };
  const isAddress = family === 'TCP4' ? isIPv4 : isIPv6;
  const arePorts = Number(sourcePort) <= PORT_MAX && Number(targetPort) <= PORT_MAX;
  if (!isAddress(source) || !isAddress(target) || !arePorts) return 'malformed';
  return { end, address: ipaddr.process(source).toString() };
}

function readBinary(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  if (bytes.length < FIXED_BYTES) return 'incomplete';
  const command = bytes.readUInt8(12) - VERSION_2;
  const family = bytes.readUInt8(13);
  const detailsBytes = bytes.readUInt16BE(14);
  const addressBytes = ADDRESS_BYTES.get(family);
  if ((command !== LOCAL && command !== PROXIED) || detailsBytes > DETAILS_BYTES_MAX) return 'malformed';
  // Of a connection of the proxy's own, nothing else has to make sense (§2.2).
  const isSound = addressBytes !== undefined && addressBytes <= detailsBytes;
  if (command === PROXIED && !isSound) return 'malformed';
  const end = FIXED_BYTES + detailsBytes;
  if (bytes.length < end) return 'incomplete';
  return { end, address: command === LOCAL ? null : sourceOf(bytes, family) };
}

/** An IPv4 address in an IPv6 one is IPv4. */
function sourceOf(bytes: Buffer, family: number): string | null {
  if (family !== TCP4 && family !== TCP6) return null;
  const source = bytes.subarray(FIXED_BYTES, FIXED_BYTES + (family === TCP4 ? 4 : 16));
  return ipaddr.process(ipaddr.fromByteArray([...source]).toString()).toString();
}
