import type { Fields } from '#core/fields.ts';
import { isHopByHop } from '#core/headers.ts';

/** Has no content (RFC 9110 §15.3.6), which HTTP/1.1 cannot tell by the status alone. */
export const RESET_CONTENT = 205;

/**
 * The fields of an answer (RFC 9113 §8.3.2): names in lower case, and nothing that is of one connection, whoever
 * says it. Null where one would not stay a field: node:http2 puts NUL between them.
 */
export function responseFields(status: number, headers: Fields): string[] | null {
  if (!headers.isSound) return null;
  const fields = [':status', `${status}`];
  for (let at = 0; at < headers.count; at++) {
    const lowerName = headers.lowerNameAt(at);
    const isMisleading = lowerName === 'content-length' && status === RESET_CONTENT;
    if (!isHopByHop(lowerName) && !isMisleading) fields.push(lowerName, headers.valueAt(at));
  }
  return fields;
}
