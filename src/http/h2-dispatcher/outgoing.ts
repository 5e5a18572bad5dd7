import { fieldName } from '#core/field-names.ts';
import type { Fields } from '#core/fields.ts';
import { type FlatHeaders, isHopByHop } from '#core/headers.ts';
import { readControlFields } from '../h1/control-fields.ts';
import { isRequestLine } from '../h1/write-head.ts';
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

const HOST = fieldName('host');

export type Scheme = 'http' | 'https';

/** Null for a request that could be taken for another one. */
export function outgoingOf(request: TransportRequest, scheme: Scheme): Outgoing | null {
  const { method, path, body, takesTrailers } = request;
  const { fault, lengthBytes, isChunked } = readControlFields(request.headers);
  if (
    !request.headers.isSound ||
    fault !== null ||
    isChunked ||
    method === 'CONNECT' ||
    !isRequestLine(method, path)
  )
    return null;
  const hasBody = body !== undefined && body !== null;
  if (!hasBody && lengthBytes !== null && lengthBytes > 0) return null;

  const headers = [':method', method, ':scheme', scheme, ':path', path];
  const authority = request.headers.value(HOST);
  if (authority !== null) headers.push(':authority', authority);
  appendFields(headers, request.headers);
  if (takesTrailers === true) headers.push('te', 'trailers');
  const isOpen = hasBody && lengthBytes === null;
  return {
    headers,
    bodyBytes: hasBody ? lengthBytes : 0,
    trailers: isOpen ? (request.trailers ?? null) : null,
  };
}

function appendFields(headers: string[], fields: Fields): void {
  for (let at = 0; at < fields.count; at++) {
    const lowerName = fields.lowerNameAt(at);
    if (lowerName !== 'host' && !isHopByHop(lowerName)) headers.push(lowerName, fields.valueAt(at));
  }
}
