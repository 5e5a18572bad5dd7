import type { OutgoingHttpHeaders } from 'node:http2';
import type { Fields } from '#core/fields.ts';
import { isHopByHop } from '#core/headers.ts';

/**
 * Fields by name, as node:http2 takes trailers and informational answers: names in lower case, and nothing that is of
 * one connection. Null where one would not stay a field.
 */
export function groupedFields(fields: Fields): OutgoingHttpHeaders | null {
  if (!fields.isSound) return null;
  const values = new Map<string, string[]>();
  for (let at = 0; at < fields.count; at++) {
    const lowerName = fields.lowerNameAt(at);
    const value = fields.valueAt(at);
    if (isHopByHop(lowerName)) continue;
    const known = values.get(lowerName);
    if (known === undefined) values.set(lowerName, [value]);
    else known.push(value);
  }
  return Object.fromEntries(values);
}
