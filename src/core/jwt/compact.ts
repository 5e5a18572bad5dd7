import { decodeBase64url } from './base64url.ts';
import { type JsonObject, parseJsonObject } from './json-object.ts';

/** Characters of a token; a longer one is refused unread. */
export const TOKEN_LENGTH_MAX = 8 * 1024;

/** Characters of a `kid`; own ones have 43 (RFC 7638). */
export const KID_LENGTH_MAX = 256;

/** A signed token taken apart. Nothing in it is to be believed yet. */
export type CompactToken = {
  readonly alg: string;
  readonly kid: string;
  /** Null where there is none. */
  readonly typ: string | null;
  readonly payload: JsonObject;
  /** What the signature is over. */
  readonly signed: Buffer;
  readonly signature: Buffer;
};

/**
 * Takes a JWS in compact form apart (RFC 7515 §7.1), or returns null for whatever is not exactly that, in
 * its one canonical spelling. Where keys are to be found (`jku`, `jwk`, `x5u`, `x5c`) is not read at all
 * (RFC 8725 §3.10).
 */
export function parseCompact(token: string): CompactToken | null {
  if (token.length > TOKEN_LENGTH_MAX) return null;
  const headerEnd = token.indexOf('.');
  const payloadEnd = token.indexOf('.', headerEnd + 1);
  if (headerEnd === -1 || payloadEnd === -1) return null;

  const header = parsePart(token.slice(0, headerEnd));
  if (header === null || !isUnderstood(header)) return null;
  const payload = parsePart(token.slice(headerEnd + 1, payloadEnd));
  // A fourth part would come with a point, which is none of base64url's characters.
  const signature = decodeBase64url(token.slice(payloadEnd + 1));
  if (payload === null || signature === null) return null;

  const { alg, kid, typ } = header;
  const signed = Buffer.from(token.slice(0, payloadEnd), 'latin1');
  return { alg, kid, typ: typ ?? null, payload, signed, signature };
}

function parsePart(text: string): JsonObject | null {
  const bytes = decodeBase64url(text);
  return bytes === null ? null : parseJsonObject(bytes);
}

type Header = JsonObject & { readonly alg: string; readonly kid: string; readonly typ?: string };

/** We understand no critical extension, of which `b64` (RFC 7797) is one. */
function isUnderstood(header: JsonObject): header is Header {
  const { alg, kid, typ } = header;
  return (
    typeof alg === 'string' &&
    typeof kid === 'string' &&
    kid.length <= KID_LENGTH_MAX &&
    (typ === undefined || typeof typ === 'string') &&
    !Object.hasOwn(header, 'crit') &&
    !Object.hasOwn(header, 'b64')
  );
}
