/** RFC 9110 §11.2. The two character sets are disjoint, so this takes one pass. */
const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Whether `text` can stand behind `Bearer` or `Basic` in an Authorization header. */
export function isToken68(text: string): boolean {
  return TOKEN68.test(text);
}
