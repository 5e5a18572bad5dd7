import { fieldName } from '../field-names.ts';
import type { Fields } from '../fields.ts';
import type { Auth } from '../table.ts';
import { type Login, parseLogin } from './login.ts';
import { isToken68 } from './token68.ts';

/** What a client presents to be told apart. Never logged, never in a message. */
export type Credentials = {
  /** The secret as it was sent. */
  readonly token: string;
  /** What a Basic token decodes to, if it decodes to `user:password`. */
  readonly login: Login | null;
};

export type CredentialsProblem =
  /** None of the asked kind were sent. */
  | 'missing'
  /** More than one set was sent, and it is not for us to choose. */
  | 'ambiguous'
  /** They cannot be valid, whatever is listed. */
  | 'malformed';

/** Longer credentials are refused unread. */
export const CREDENTIALS_BYTES_MAX = 8 * 1024;

const SPACE = 0x20;

/**
 * Finds the credentials of a request in its headers. Bearer as in RFC 6750 §2.1, Basic as in RFC 7617 §2 or as a bare token.
 */
export function readCredentials(
  auth: Auth,
  headers: Fields,
): Credentials | { readonly problem: CredentialsProblem } {
  const carrier = auth.scheme === 'api_key' ? fieldName(auth.header) : AUTHORIZATION;
  const at = headers.find(carrier);
  if (at === -1) return { problem: 'missing' };
  if (headers.find(carrier, at + 1) !== -1) return { problem: 'ambiguous' };
  const value = headers.valueAt(at);
  if (value === '') return { problem: 'missing' };
  if (value.length > CREDENTIALS_BYTES_MAX) return { problem: 'malformed' };
  if (auth.scheme === 'api_key') return { token: value, login: null };
  return readAuthorization(auth.scheme, value);
}

const AUTHORIZATION = fieldName('authorization');

function readAuthorization(
  asked: 'bearer' | 'basic' | 'jwt',
  value: string,
): Credentials | { readonly problem: CredentialsProblem } {
  const scheme = asked === 'basic' ? 'Basic' : 'Bearer';
  // A client that offers another scheme has not tried this one (RFC 6750 §3.1).
  if (!isOfScheme(value, scheme)) return { problem: 'missing' };

  let tokenStart = scheme.length;
  while (value.charCodeAt(tokenStart) === SPACE) tokenStart++;
  const token = value.slice(tokenStart);
  // A JWT has fewer characters to choose from: one that is no token68 is none, either, and most are known already.
  if (asked !== 'jwt' && !isToken68(token)) return { problem: 'malformed' };
  return { token, login: asked === 'basic' ? parseLogin(token) : null };
}

/** Whether it is the scheme, in any case, with a space behind it or nothing. */
function isOfScheme(value: string, scheme: string): boolean {
  const { length } = scheme;
  if (value.length > length && value.charCodeAt(length) !== SPACE) return false;
  const spelling = value.slice(0, length);
  // Nearly everybody spells it so.
  return spelling === scheme || spelling.toLowerCase() === scheme.toLowerCase();
}
