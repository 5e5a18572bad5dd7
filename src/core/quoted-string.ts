/** A quoted-string (RFC 9110 §5.6.4); of printable ASCII, it is a String of structured fields, too (RFC 9651 §3.3.3). */
export function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
