import type { ControlFields } from './control-fields.ts';
import type { FramingFault } from './faults.ts';
import type { Minor } from './start-lines.ts';

/** How the end of a message's body is found (RFC 9112 §6.3). */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  /** A response only. */
  | { readonly kind: 'until_close' };

const NONE: Framing = { kind: 'none' };
const CHUNKED: Framing = { kind: 'chunked' };
const UNTIL_CLOSE: Framing = { kind: 'until_close' };

/** Of a request, or why it has none: whoever reads it otherwise would find another request in its body. */
export function requestFraming(fields: ControlFields, minor: Minor): Framing | FramingFault {
  return faultOf(fields, minor) ?? declared(fields) ?? NONE;
}

/** Of the response to a request with `method`. A fault in a head is one even where there is no body. */
export function responseFraming(
  fields: ControlFields,
  minor: Minor,
  method: string,
  status: number,
): Framing | FramingFault {
  const fault = faultOf(fields, minor);
  if (fault !== null) return fault;
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return NONE;
  return declared(fields) ?? UNTIL_CLOSE;
}

/** Whether the connection may serve another message after this one (RFC 9112 §9.3). */
export function isPersistent({ closes, keepsAlive }: ControlFields, minor: Minor): boolean {
  return !closes && (minor === 1 || keepsAlive);
}

function faultOf({ fault, isChunked }: ControlFields, minor: Minor): FramingFault | null {
  return isChunked && minor === 0 ? 'coding_in_http_1_0' : fault;
}

function declared({ lengthBytes, isChunked }: ControlFields): Framing | null {
  if (isChunked) return CHUNKED;
  if (lengthBytes === null) return null;
  return lengthBytes === 0 ? NONE : { kind: 'length', bytes: lengthBytes };
}
