import { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import { readControlFields } from '../h1/control-fields.ts';
import { END, fieldLines, requestHead } from '../h1/write-head.ts';
import type { TransportRequest } from '../transport.ts';

/** A request as it will be written. */
export type Outgoing = {
  readonly head: string;
  /** As declared; null: in chunks. 0 without a body. */
  readonly bodyBytes: number | null;
  readonly expectsContinue: boolean;
  /** What goes behind the last chunk. */
  readonly trailers: () => FlatHeaders;
};

const NO_TRAILERS = (): FlatHeaders => [];
const NO_BODY = fieldLines(['Content-Length', '0']);
const CHUNKED = fieldLines(['Transfer-Encoding', 'chunked']);
const TRAILERS = fieldLines(['Connection', 'TE', 'TE', 'trailers']);

/** Methods that servers expect a body of, or else to be told that there is none (RFC 9110 §8.6). */
function expectsLength(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}

/** Null for a request that could be taken for another one, or for two. */
export function outgoingOf(request: TransportRequest): Outgoing | null {
  const { method, path, headers, body, upgrade, takesTrailers } = request;
  const { fault, lengthBytes, isChunked, expectsContinue } = readControlFields(headers);
  if (fault !== null || isChunked || method === 'CONNECT') return null;
  const hasBody = body !== undefined && body !== null;
  if (!hasBody && lengthBytes !== null && lengthBytes > 0) return null;

  let tail = '';
  if (hasBody && lengthBytes === null) tail = CHUNKED;
  if (!hasBody && lengthBytes === null && expectsLength(method)) tail = NO_BODY;
  if (upgrade) {
    const asked = Fields.of(['Connection', 'Upgrade', 'Upgrade', upgrade]);
    if (!asked.isSound) return null;
    tail += asked.text;
  } else if (takesTrailers === true) tail += TRAILERS;
  const head = requestHead(method, path, headers, tail + END);
  if (head === null) return null;
  const trailers = request.trailers ?? NO_TRAILERS;
  return { head, bodyBytes: hasBody ? lengthBytes : 0, expectsContinue, trailers };
}
