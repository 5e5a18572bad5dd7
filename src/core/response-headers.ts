import { isCorsHeader } from './cors.ts';
import { lowerCased, NameSet } from './header-names.ts';
import {
  appendHeader,
  appendVia,
  connectionNames,
  type FlatHeaders,
  HOP_BY_HOP,
  headerList,
} from './headers.ts';
import type { Cors, HeaderNames, Table } from './table.ts';

/** What Signalbox says of itself on every answer, its own refusals included. */
export type Stamp = {
  readonly names: HeaderNames;
  readonly requestId: string;
  /** Since the request's head had arrived. */
  readonly elapsedMs: number;
  /** The upstream that answered, or null where Signalbox did. */
  readonly upstreamName: string | null;
};

export function stampOf(
  table: Table,
  requestId: string,
  elapsedMs: number,
  upstreamName: string | null = null,
): Stamp {
  return { names: table.headers, requestId, elapsedMs, upstreamName };
}

/** The upstream's headers, less those of its hop, as they go to the client: stamped. */
export function responseHeaders(
  status: number,
  received: FlatHeaders,
  stamp: Stamp,
  cors: Cors | null,
  extra: FlatHeaders,
): string[] {
  const headers = passedHeaders(status, received, stamp.names, cors);
  appendStamp(headers, stamp, headerList(received, 'via'));
  for (const text of extra) headers.push(text);
  return headers;
}

/**
 * What an upstream says, less what is said of its hop, and what is for others to say. `head` names what is of its hop
 * (RFC 9110 §7.6.1): of trailers, it is another one.
 */
export function passedHeaders(
  status: number,
  received: FlatHeaders,
  names: HeaderNames,
  cors: Cors | null,
  head = received,
): string[] {
  const headers: string[] = [];
  const named = connectionNames(head);
  const barred = withheldNames(names);
  // Then the names alone decide.
  const isPlain = named.size === 0 && cors === null && !hasNoLength(status);
  for (let at = 0; at + 1 < received.length; at += 2) {
    const name = received[at] as string;
    if (barred.has(name) || !(isPlain || passes(lowerCased(name), status, named, cors))) continue;
    headers.push(name, received[at + 1] as string);
  }
  return headers;
}

function passes(lowerName: string, status: number, named: ReadonlySet<string>, cors: Cors | null): boolean {
  if (named.has(lowerName)) return false;
  if (lowerName === 'content-length' && hasNoLength(status)) return false;
  return cors === null || !isCorsHeader(lowerName);
}

/** RFC 9110 §8.6: no Content-Length where there can be no content. */
export function hasNoLength(status: number): boolean {
  return status < 200 || status === 204;
}

export function appendStamp(headers: string[], stamp: Stamp, receivedVia: string | null): void {
  const { names } = stamp;
  appendHeader(headers, names.requestId, stamp.requestId);
  appendHeader(headers, names.responseTime, `${Math.round(stamp.elapsedMs)}ms`);
  if (names.proxyBy !== null) headers.push(names.proxyBy.name, names.proxyBy.value);
  if (stamp.upstreamName !== null) appendHeader(headers, names.backend, stamp.upstreamName);
  appendVia(headers, receivedVia, '1.1', names.via);
}

const withheld = new WeakMap<HeaderNames, NameSet>();

/** What is for one hop, and what Signalbox says itself: made once for the names of a configuration. */
function withheldNames(names: HeaderNames): NameSet {
  const known = withheld.get(names);
  if (known !== undefined) return known;
  const { requestId, responseTime, proxyBy, backend } = names;
  const stamped = [requestId, responseTime, proxyBy?.name, backend].filter(
    (name) => typeof name === 'string',
  );
  const list = new Set([...HOP_BY_HOP, 'via', ...stamped.map(lowerCased)]);
  if (!names.passServer) list.add('server');
  const made = new NameSet((lowerName) => list.has(lowerName));
  withheld.set(names, made);
  return made;
}
