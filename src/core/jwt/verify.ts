import { type AccessClaims, holdsAt, readClaims } from './claims.ts';
import { type CompactToken, parseCompact } from './compact.ts';
import type { KeyIndex, TrustedIssuer } from './keyring.ts';
import type { IsSigned } from './signature.ts';

export type Verification =
  | { readonly outcome: 'valid'; readonly claims: AccessClaims }
  /** Its issuer is trusted, and may have made a key that we have not heard of. */
  | { readonly outcome: 'unknown_key'; readonly issuer: string }
  | { readonly outcome: 'invalid' };

const INVALID: Verification = { outcome: 'invalid' };

/**
 * Verifies a token (RFC 7519 §7.2, RFC 8725): by its issuer's keys alone, by the algorithm of the key, and
 * with the signature last, because it is what costs. Nothing tells which step failed.
 */
export function verifyToken(
  text: string,
  keys: KeyIndex,
  leewaySeconds: number,
  nowMs: number,
  isSigned: IsSigned,
): Verification {
  const token = parseCompact(text);
  if (token === null) return INVALID;
  const { iss } = token.payload;
  const issuer = typeof iss === 'string' ? keys.get(iss) : undefined;
  if (issuer === undefined || !isAccessToken(token, issuer.trusted)) return INVALID;

  const claims = readClaims(token.payload, issuer.trusted);
  if (claims === null || !holdsAt(claims, nowMs, leewaySeconds)) return INVALID;

  const key = issuer.keys.get(token.kid);
  if (key === undefined) return { outcome: 'unknown_key', issuer: claims.iss };
  const isValid = token.alg === key.alg && isSigned(key, token.signed, token.signature);
  return isValid ? { outcome: 'valid', claims } : INVALID;
}

/** Of others, not all say `at+jwt` (RFC 9068 §2.1); what says that it is something else, is not taken. */
const TYPES_OF_OTHERS = new Set(['at+jwt', 'jwt']);

function isAccessToken({ typ }: CompactToken, { isOwn }: TrustedIssuer): boolean {
  if (isOwn) return typ === 'at+jwt';
  return typ === null || TYPES_OF_OTHERS.has(typ.toLowerCase().replace(/^application\//, ''));
}
