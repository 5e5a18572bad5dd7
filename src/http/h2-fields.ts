import type { OutgoingHttpHeaders } from 'node:http2';
import { type FlatHeaders, isHopByHop } from '#core/headers.ts';
import { isField } from './h1/write-head.ts';

/**
 * Fields by name, as node:http2 takes trailers and informational answers: names in lower case, and nothing that is of
 * one connection. Null where one would not stay a field.
 */
export function groupedFields(headers: FlatHeaders): OutgoingHttpHeaders | null {
  const values = new Map<string, string[]>();
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string;
    const value = headers[at + 1] as string;
    if (!isField(name, value)) return null;
    const lowerName = name.toLowerCase();
    if (isHopByHop(lowerName)) continue;
    const known = values.get(lowerName);
    if (known === undefined) values.set(lowerName, [value]);
    else known.push(value);
  }
  return Object.fromEntries(values);
}
