import { decodeUtf8 } from '../utf8.ts';

export type Login = {
  readonly user: string;
  readonly password: string;
};

/** Neither part may contain any (RFC 7617 §2). */
const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * Decodes `base64(user:password)`, or returns null for anything else. Strict: canonical base64 with its
 * padding, and UTF-8, which the challenge asks for. Both parts are brought to Unicode's composed form,
 * because keyboards differ in how they write the same letter (RFC 7617 §2.1).
 */
export function parseLogin(token: string): Login | null {
  const bytes = Buffer.from(token, 'base64');
  if (bytes.toString('base64') !== token) return null;

  const text = decodeUtf8(bytes);
  const colon = text?.indexOf(':') ?? -1;
  if (text === null || colon === -1 || CONTROL_CHARACTER.test(text)) return null;
  return { user: normalForm(text.slice(0, colon)), password: normalForm(text.slice(colon + 1)) };
}

/** The form in which names are compared, and passwords hashed and checked. */
export function normalForm(text: string): string {
  return text.normalize('NFC');
}
