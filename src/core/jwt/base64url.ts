/**
 * Decodes base64url as JOSE wants it (RFC 7515 §2), or returns null: without padding, white space or
 * characters of other alphabets, and with the last bits zero (RFC 4648 §3.5), so that no two texts stand
 * for the same bytes. Libraries are laxer.
 */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}
