import type { Fields } from '#core/fields.ts';
import { declaredBytes } from '../h1/control-fields.ts';
import type { Minor } from '../h1/start-lines.ts';
import { fieldLines } from '../h1/write-head.ts';

/** How the end of an answer is told, and what its headers have to say of it. */
export type ResponseFraming = {
  /** As `fieldLines` has them. */
  readonly lines: string;
  /** Of the body that will be sent: 0 for none, Infinity where only its end tells. */
  readonly bytes: number;
  readonly isChunked: boolean;
  readonly endsWithConnection: boolean;
  readonly hasDate: boolean;
};

const CHUNKED = fieldLines(['Transfer-Encoding', 'chunked']);

/** Some transports leave blanks around it. */
function lengthOf(value: string): number {
  const bytes = declaredBytes(value);
  return Number.isNaN(bytes) ? Number(value) : bytes;
}

/** Of an answer with these headers, none of which is Transfer-Encoding (RFC 9112 §6.3). */
export function responseFraming(
  method: string,
  minor: Minor,
  status: number,
  fields: Fields,
): ResponseFraming {
  const declared = fields.declaredLength;
  let bytes = declared === null ? Infinity : lengthOf(declared);
  if (method === 'HEAD' || status === 204 || status === 304) bytes = 0;
  const isOpen = bytes === Infinity;
  const isChunked = isOpen && minor === 1;
  return {
    lines: isChunked ? CHUNKED : '',
    bytes,
    isChunked,
    endsWithConnection: isOpen && !isChunked,
    hasDate: fields.hasDate,
  };
}
