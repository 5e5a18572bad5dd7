import type { OutgoingHttpHeaders } from 'node:http2';
import { type FlatHeaders, isHopByHop } from '#core/headers.ts';
import { isField } from '../h1/write-head.ts';

/**
 * The fields of an answer (RFC 9113 §8.3.2): names in lower case, and nothing that is of one connection, whoever
 * says it. Null where one would not stay a field: node:http2 puts NUL between them.
 */
export function responseFields(status: number, headers: FlatHeaders): string[] | null {
  const fields = [':status', `${status}`];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string;
    const value = headers[at + 1] as string;
    if (!isField(name, value)) return null;
    const lowerName = name.toLowerCase();
    const isMisleading = lowerName === 'content-length' && status === 205;
    if (!isHopByHop(lowerName) && !isMisleading) fields.push(lowerName, value);
  }
  return fields;
}

/** The same by name, as node:http2 takes what is no answer's head. */
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
