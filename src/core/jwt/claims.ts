import type { JsonObject } from './json-object.ts';
import type { TrustedIssuer } from './keyring.ts';

/** What a token says, as far as it is used. Times are in seconds since the Unix epoch. */
export type AccessClaims = {
  readonly iss: string;
  /** 1 to 255 visible ASCII characters. */
  readonly sub: string;
  /** Without control characters; null where there is none, or where its issuer did not verify it. */
  readonly email: string | null;
  /** The session, in own tokens. */
  readonly sid: string | null;
  /** When it was issued; in tokens of others, 0 where they do not say. */
  readonly iat: number;
  /** The token holds from then on … */
  readonly notBefore: number;
  /** … and until then. */
  readonly exp: number;
};

/** What upstreams are told of whoever a token is about. */
export type IdentityClaims = Pick<AccessClaims, 'iss' | 'sub' | 'email'>;

/** The last second of the year 9999, beyond which dates have no common notation (RFC 3339). */
const SECONDS_MAX = 253_402_300_799;

/** As OpenID Connect Core §2 bounds `sub`. It goes into headers, so it is free of spaces and line breaks. */
const IDENTIFIER = /^[!-~]{1,255}$/;

/** RFC 5321 §4.5.3.1.3, as corrected. */
const EMAIL_LENGTH_MAX = 254;
const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * Reads the claims of a token whose issuer is `trusted` (RFC 7519 §4.1; RFC 9068 §2.2 for own tokens), or
 * returns null where one is missing, of another type, or not for us. Whether the time is right is another
 * question: `holdsAt`.
 */
export function readClaims(payload: JsonObject, trusted: TrustedIssuer): AccessClaims | null {
  const { iss, sub, exp, sid, jti } = payload;
  if (iss !== trusted.issuer || !isIdentifier(sub)) return null;
  if (!isMeantFor(payload['aud'], trusted.audience)) return null;
  // Only own tokens have to say when they were issued.
  const whenSilent = trusted.isOwn ? undefined : 0;
  const { iat = whenSilent, nbf = whenSilent } = payload;
  if (!isTime(exp) || exp === 0 || !isTime(iat) || !isTime(nbf)) return null;

  const claims = { iss, sub, email: readEmail(payload), iat, notBefore: Math.max(iat, nbf), exp };
  if (!trusted.isOwn) return { ...claims, sid: null };
  return isIdentifier(sid) && isIdentifier(jti) ? { ...claims, sid } : null;
}

/** Whether a token holds at a time, `leewaySeconds` taken into account; at its `exp`, it no longer does. */
export function holdsAt(
  { notBefore, exp }: Pick<AccessClaims, 'notBefore' | 'exp'>,
  nowMs: number,
  leewaySeconds: number,
): boolean {
  const seconds = nowMs / 1000;
  return notBefore - leewaySeconds <= seconds && seconds < exp + leewaySeconds;
}

/** `aud` is a text or a list of them (RFC 7519 §4.1.3). */
function isMeantFor(aud: unknown, audience: string): boolean {
  if (!Array.isArray(aud)) return aud === audience;
  return aud.every((one) => typeof one === 'string') && aud.includes(audience);
}

/** Whole seconds. Fractions are allowed by RFC 7519 §2; nobody sends them but to find out what happens. */
function isTime(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= SECONDS_MAX;
}

function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && IDENTIFIER.test(value);
}

/** OpenID Connect Core §5.1. An address that is no address is left out: it proves nothing by itself. */
function readEmail({ email, email_verified: isVerified }: JsonObject): string | null {
  if (typeof email !== 'string' || email === '' || isVerified === false) return null;
  const isFit = email.length <= EMAIL_LENGTH_MAX && email.isWellFormed() && !CONTROL_CHARACTER.test(email);
  return isFit ? email : null;
}
