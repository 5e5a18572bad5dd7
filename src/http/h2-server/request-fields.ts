import { type FlatHeaders, headerList } from '#core/headers.ts';
import type { PlainCause } from '#core/refusals.ts';
import type { HeadLimits } from '../h1/head-parser.ts';

/** The head of a request, as HTTP/1.1 would have it, and as it goes on to upstreams. */
export type RequestFields = {
  readonly method: string;
  readonly target: string;
  readonly headers: FlatHeaders;
  /** Of the body, as declared; null where it is not. */
  readonly lengthBytes: number | null;
  readonly expectsContinue: boolean;
  /** Why it cannot be served, or null. */
  readonly fault: PlainCause | null;
};

/** What HTTP/1.1 writes between and behind a name and its value. */
const LINE_BYTES = 4;

/** RFC 9110 §5.6.2, in lower case (RFC 9113 §8.2.1). */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** RFC 9110 §5.5, without spaces around it (RFC 9113 §8.2.1). */
const VALUE = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/;
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const LENGTH = /^[0-9]{1,15}$/;
const TARGET = /^(?:\/[!-~\x80-\xff]*|\*)$/;

/** Of HTTP/1.1's connections; there are none here (RFC 9113 §8.2.2). */
const OF_CONNECTIONS = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

const PSEUDO = new Set([':method', ':scheme', ':authority', ':path']);

type Found = { -readonly [Key in keyof RequestFields]: RequestFields[Key] } & { headers: string[] };

/**
 * Reads the field section of a request (RFC 9113 §8.2 and §8.3): name, value, name, value … as decoded. nghttp2
 * refuses most of what is refused here, and resets the stream; this does not depend on it.
 */
export function readRequestFields(
  fields: FlatHeaders,
  limits: HeadLimits,
  targetBytesMax: number,
): RequestFields {
  const pseudo = new Map<string, string>();
  const found: Found = {
    method: '',
    target: '',
    headers: [],
    lengthBytes: null,
    expectsContinue: false,
    fault: null,
  };
  let bytes = 0;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    bytes += name.length + value.length + LINE_BYTES;
    if (!name.startsWith(':')) addField(found, name, value);
    else if (!PSEUDO.has(name) || pseudo.has(name) || found.headers.length > 0)
      found.fault = 'malformed_request';
    else pseudo.set(name, value);
  }
  found.method = pseudo.get(':method') ?? '';
  found.target = pseudo.get(':path') ?? '';
  if (bytes > limits.bytesMax || found.headers.length > 2 * limits.fieldsMax) found.fault = 'head_too_large';
  else if (found.target.length > targetBytesMax) found.fault ??= 'target_too_long';
  else checkRequestLine(found, pseudo);
  return found;
}

function addField(found: Found, name: string, value: string): void {
  if (!NAME.test(name) || !VALUE.test(value) || OF_CONNECTIONS.has(name)) found.fault = 'malformed_request';
  else if (name === 'te' && value.toLowerCase() !== 'trailers') found.fault = 'malformed_request';
  else if (name === 'cookie') addCookie(found.headers, value);
  else {
    if (name === 'content-length') readLength(found, value);
    if (name === 'expect') found.expectsContinue = value.toLowerCase() === '100-continue';
    found.headers.push(name, value);
  }
}

/** Clients may send each cookie by itself, which HTTP/1.1 does not know (RFC 9113 §8.2.3). */
function addCookie(headers: string[], value: string): void {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at] !== 'cookie') continue;
    headers[at + 1] += `; ${value}`;
    return;
  }
  headers.push('cookie', value);
}

function readLength(found: Found, value: string): void {
  if (found.lengthBytes !== null || !LENGTH.test(value)) found.fault = 'malformed_request';
  found.lengthBytes = Number(value);
}

/** The pseudo headers, as far as HTTP/1.1's checks do not look at what is made of them. */
function checkRequestLine(found: Found, pseudo: ReadonlyMap<string, string>): void {
  const { method, target, headers } = found;
  // It has no path, and is told that there are no tunnels here.
  if (method === 'CONNECT') return;
  const isTarget = TARGET.test(target) && (target !== '*' || method === 'OPTIONS');
  if (!METHOD.test(method) || !isTarget || pseudo.get(':scheme') !== 'https') {
    found.fault = 'malformed_request';
  }
  const authority = pseudo.get(':authority');
  if (authority === undefined) return;
  const host = headerList(headers, 'host');
  if (host === null) headers.unshift('host', authority);
  else if (host.toLowerCase() !== authority.toLowerCase()) found.fault = 'malformed_request';
}
