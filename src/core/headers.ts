import { withoutBlanks } from './blanks.ts';
import { fieldName, lowerCased } from './field-names.ts';
import type { Fields } from './fields.ts';

/** Name, value, name, value …: of what we make ourselves, and of whoever does not take a text. See Fields. */
export type FlatHeaders = readonly string[];

/** Never forwarded (RFC 9110 §7.6.1, RFC 9112 §7), whether `Connection` names them or not. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** End-to-end whatever `Connection` says: a client must not be able to have these removed. */
const NEVER_NAMED = /^(?:authorization|content-(?:encoding|length|type)|cookie|host|x-forwarded-.*)$/;

export function isHopByHop(lowerName: string): boolean {
  return HOP_BY_HOP.has(lowerName);
}

/** The first value of a header, or null. `lowerName` is lower case. */
export function headerValue(headers: FlatHeaders, lowerName: string): string | null {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (lowerCased(headers[at] as string) === lowerName) return headers[at + 1] as string;
  }
  return null;
}

/** All values of a header in order, joined as one list (RFC 9110 §5.3), or null. */
export function headerList(headers: FlatHeaders, lowerName: string): string | null {
  let list: string | null = null;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (lowerCased(headers[at] as string) === lowerName)
      list = list === null ? `${headers[at + 1]}` : `${list}, ${headers[at + 1]}`;
  }
  return list;
}

const CONNECTION = fieldName('connection');
const TE = fieldName('te');

/** Names, lower case, that `Connection` declares to be for this hop only; null without any. A head may hold thousands. */
export function connectionNames(fields: Fields): ReadonlySet<string> | null {
  const list = fields.list(CONNECTION);
  if (list === null || list === 'keep-alive' || list === 'close') return null;
  const names = list.toLowerCase().split(',').map(withoutBlanks);
  return new Set(names.filter((name) => !NEVER_NAMED.test(name)));
}

/** Whether whoever sent this head takes trailers (RFC 9110 §10.1.4). */
export function takesTrailers(fields: Fields): boolean {
  const codings = fields.list(TE);
  if (codings === null || codings === 'trailers') return codings !== null;
  return codings.split(',').some((coding) => withoutBlanks(coding).toLowerCase() === 'trailers');
}

/** A list header's value with one more element. */
export function extend(list: string | null, element: string): string {
  return list === null || list === '' ? element : `${list}, ${element}`;
}

/**
 * Our own `Via` after those of the proxies before us, which pass even where ours is turned off. `protocol` is what the
 * message came in (RFC 9110 §7.6.3).
 */
export function addVia(
  fields: Fields,
  received: string | null,
  protocol: string,
  pseudonym: string | null,
): void {
  const via = pseudonym === null ? received : extend(received, `${protocol} ${pseudonym}`);
  if (via !== null) fields.addText(VIA, via);
}

const VIA = fieldName('Via');
