/** Which texts may be secrets that others are kept out with. */

/** RFC 7518 §3.2: as many bytes as HS256's hash has. */
const BYTES_MIN = 32;
const BYTES_MAX = 4096;
/** 32 random hexadecimal digits have fewer with a chance of one in a million. */
const DISTINCT_CHARACTERS_MIN = 8;

/** What secrets in examples say of themselves; by chance, no random one says it. */
const EXAMPLE =
  /change[-_ ]?(?:me|this|it|in)|replace[-_ ]?(?:me|this|with)|your[-_ ]|example|placeholder|at[-_ ]least[-_ ]|super[-_ ]?secret|secret[-_ ]?key/i;

/** Completes "expected …". */
export const STRONG_SECRET =
  'at least 32 random bytes, and none that came with an example; `openssl rand -base64 32` makes some';

export function isStrongSecret(text: string): boolean {
  const bytes = Buffer.byteLength(text);
  if (bytes < BYTES_MIN || bytes > BYTES_MAX || EXAMPLE.test(text)) return false;
  return new Set(text).size >= DISTINCT_CHARACTERS_MIN;
}
