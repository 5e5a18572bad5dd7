import { type FlatHeaders, headerValue, isHopByHop } from '#core/headers.ts';
import { readControlFields } from '../h1/control-fields.ts';
import { isField, isRequestLine } from '../h1/write-head.ts';
import type { TransportRequest } from '../transport.ts';

/** A request as it will be written. */
export type Outgoing = {
  /** Pseudo-header fields first, names in lower case (RFC 9113 §8.3). */
  readonly headers: string[];
  /** As declared; null: until it ends. 0 without a body. */
  readonly bodyBytes: number | null;
  /** What goes behind the body; null where nothing can. */
  readonly trailers: (() => FlatHeaders) | null;
};

export type Scheme = 'http' | 'https';

/** Null for a request that could be taken for another one. */
export function outgoingOf(request: TransportRequest, scheme: Scheme): Outgoing | null {
  const { method, path, body, takesTrailers } = request;
  const { fault, lengthBytes, isChunked } = readControlFields(request.headers);
  if (fault !== null || isChunked || method === 'CONNECT' || !isRequestLine(method, path)) return null;
  const hasBody = body !== undefined && body !== null;
  if (!hasBody && lengthBytes !== null && lengthBytes > 0) return null;

  const headers = [':method', method, ':scheme', scheme, ':path', path];
  const authority = headerValue(request.headers, 'host');
  if (authority !== null) headers.push(':authority', authority);
  if (!appendFields(headers, request.headers)) return null;
  if (takesTrailers === true) headers.push('te', 'trailers');
  const isOpen = hasBody && lengthBytes === null;
  return {
    headers,
    bodyBytes: hasBody ? lengthBytes : 0,
    trailers: isOpen ? (request.trailers ?? null) : null,
  };
}

/** False where one of them would not stay one. */
function appendFields(headers: string[], fields: FlatHeaders): boolean {
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    if (!isField(name, value)) return false;
    const lowerName = name.toLowerCase();
    if (lowerName !== 'host' && !isHopByHop(lowerName)) headers.push(lowerName, value);
  }
  return true;
}
