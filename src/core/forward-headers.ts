import { bracketed, formatEndpoint } from './endpoint.ts';
import { lowerCased, NameSet } from './header-names.ts';
import { applyHeaderRules, isWithoutRules } from './header-rules.ts';
import {
  appendHeader,
  appendVia,
  connectionNames,
  extend,
  type FlatHeaders,
  HOP_BY_HOP,
  headerList,
  isNamed,
} from './headers.ts';
import type { IdentityClaims } from './jwt/claims.ts';
import { forwardedOn } from './max-forwards.ts';
import { quoted } from './quoted-string.ts';
import type { Protocol } from './request-record.ts';
import type { HeaderNames, IdentityHeaderNames, Route, Upstream } from './table.ts';
import type { ClientTls } from './tls.ts';

/** What the request's head said, as far as its headers on the way to the upstream depend on it. */
export type ForwardedRequest = {
  readonly method: string;
  readonly headers: FlatHeaders;
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly protocol: Protocol;
  /** Of its connection; null where that is not encrypted. */
  readonly tls: ClientTls | null;
  /** The client's: the peer's, or what trusted proxies said of it. */
  readonly clientAddress: string;
  readonly peerAddress: string;
  /** Whether the peer may speak for others: its X-Forwarded-* are extended, anyone else's replaced. */
  readonly peerTrusted: boolean;
};

/** Written by Signalbox alone, from what the request says under these names or in spite of it. */
const OWN = new Set([
  'forwarded',
  'host',
  'traceparent',
  'tracestate',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/** Said of a request by proxies before us; what anyone else says under such a name does not pass. */
const FORWARDED_PREFIX = 'x-forwarded-';

/** Whether Signalbox, or proxies before it, say by this header how a request came here. */
export function isForwardingHeader(lowerName: string): boolean {
  return OWN.has(lowerName) || lowerName.startsWith(FORWARDED_PREFIX);
}

/** What an attempt is known by, and what is known of the client. */
export type AttemptFacts = {
  readonly requestId: string;
  /** W3C Trace Context: what the upstream is told of the trace. */
  readonly traceparent: string;
  readonly tracestate: string | null;
  /** Of a verified token; null where none was asked for. */
  readonly claims: IdentityClaims | null;
};

/**
 * The headers of an attempt: what the client sent, less what was meant for this hop, with the proxy's
 * own (RFC 9110 §7.6, RFC 7239, W3C Trace Context), under the route's rules.
 */
export function forwardHeaders(
  request: ForwardedRequest,
  route: Route,
  names: HeaderNames,
  upstream: Upstream,
  { requestId, traceparent, tracestate, claims }: AttemptFacts,
): string[] {
  const headers = ['Host', hostFor(request, upstream)];
  const { names: barred, passedKey } = withheldOf(route, names, request.peerTrusted);
  const named = connectionNames(request.headers);
  const isCounted = request.method === 'OPTIONS';
  for (let at = 0; at + 1 < request.headers.length; at += 2) {
    const name = request.headers[at] as string;
    if (barred.has(name) || (named.size > 0 && isAmong(named, name, passedKey))) continue;
    const value = request.headers[at + 1] as string;
    const isCount = isCounted && isNamed(name, 'max-forwards');
    headers.push(name, isCount ? forwardedOn(request.method, value) : value);
  }
  appendForwarded(headers, request, names.forwarded);
  appendHeader(headers, names.requestId, requestId);
  headers.push('traceparent', traceparent);
  if (tracestate !== null) headers.push('tracestate', tracestate);
  if (names.proxyBy !== null) headers.push(names.proxyBy.name, names.proxyBy.value);
  if (claims !== null) appendIdentity(headers, claims, names.identity);
  appendVia(headers, headerList(request.headers, 'via'), request.protocol, names.via);
  if (!isWithoutRules(route.requestHeaders)) {
    const { clientAddress, host, tls } = request;
    const facts = { clientAddress, host, requestId, routeName: route.name, upstreamName: upstream.name, tls };
    applyHeaderRules(headers, route.requestHeaders, facts);
  }
  return headers;
}

/**
 * What may follow a body: an upstream may take trailers for headers, so nothing passes there under a name that
 * would not pass for whoever wrote it in the head, which was `head`.
 */
export function forwardTrailers(
  trailers: FlatHeaders,
  head: FlatHeaders,
  route: Route,
  names: HeaderNames,
): string[] {
  const passed: string[] = [];
  const named = connectionNames(head);
  const { names: barred, passedKey } = withheldOf(route, names, false);
  for (let at = 0; at + 1 < trailers.length; at += 2) {
    const name = trailers[at] as string;
    // The key passes in the head, where it was checked.
    if (barred.has(name) || isAmong(named, name, null) || (passedKey !== null && isNamed(name, passedKey)))
      continue;
    passed.push(name, trailers[at + 1] as string);
  }
  return passed;
}

function isAmong(named: ReadonlySet<string>, name: string, passedKey: string | null): boolean {
  const lowerName = lowerCased(name);
  return named.has(lowerName) && lowerName !== passedKey;
}

/** Upstreams that turn headers into variables (CGI, WSGI) cannot tell X_Forwarded_For from X-Forwarded-For. */
function dashed(lowerName: string): string {
  return lowerName.includes('_') ? lowerName.replaceAll('_', '-') : lowerName;
}

/** Whether a header says what only proxies before us may say, or is the twin of one that frames. */
function isForged(lowerName: string, dashedName: string, peerTrusted: boolean): boolean {
  const isTwin = lowerName !== dashedName;
  if (isTwin && dashedName === 'content-length') return true;
  // A trusted peer vouches for the headers that it writes, and knows nothing of their twins.
  return dashedName.startsWith(FORWARDED_PREFIX) && (isTwin || !peerTrusted);
}

function hostFor(request: ForwardedRequest, upstream: Upstream): string {
  switch (upstream.host.kind) {
    case 'client':
      return request.host === '' ? authority(upstream) : request.host;
    case 'upstream':
      return authority(upstream);
    case 'fixed':
      return upstream.host.value;
  }
}

/** `address:port`, without the port where it is the scheme's own (RFC 9110 §4.2). */
export function authority(upstream: Upstream): string {
  const known = authorities.get(upstream);
  if (known !== undefined) return known;
  const schemePort = upstream.tls === null ? 80 : 443;
  const made = upstream.port === schemePort ? bracketed(upstream.address) : formatEndpoint(upstream);
  authorities.set(upstream, made);
  return made;
}

const authorities = new WeakMap<Upstream, string>();

type Withheld = {
  readonly names: NameSet;
  /** The header, lower case, whose key was checked here and passes as it came, its twins not; else null. */
  readonly passedKey: string | null;
};

type Kept = { readonly of: HeaderNames; readonly fromTrusted: Withheld; readonly fromOthers: Withheld };

const kept = new WeakMap<Route, Kept>();

/** What of a client does not pass on this route: made once for a route. */
function withheldOf(route: Route, names: HeaderNames, peerTrusted: boolean): Withheld {
  let found = kept.get(route);
  if (found?.of !== names) {
    const list = withheldNames(route, names);
    found = { of: names, fromTrusted: withheld(route, list, true), fromOthers: withheld(route, list, false) };
    kept.set(route, found);
  }
  return peerTrusted ? found.fromTrusted : found.fromOthers;
}

function withheld({ auth }: Route, list: ReadonlySet<string>, peerTrusted: boolean): Withheld {
  const passedKey = auth?.scheme === 'api_key' && auth.forwardCredentials ? auth.header : null;
  const names = new NameSet((lowerName) => {
    const dashedName = dashed(lowerName);
    return lowerName !== passedKey && (list.has(dashedName) || isForged(lowerName, dashedName, peerTrusted));
  });
  return { names, passedKey };
}

/**
 * Names, lower case and dashed, under which nothing of a client passes on this route: those for one hop, our own,
 * those of the route's rules, the credentials', and those that say who somebody is, whether the route asks for
 * that or not.
 */
function withheldNames(route: Route, names: HeaderNames): ReadonlySet<string> {
  const { remove, set } = route.requestHeaders;
  const { requestId, proxyBy, identity } = names;
  const said = [requestId, proxyBy?.name, identity.userId, identity.userEmail, identity.userIssuer];
  const replaced = [
    ...remove,
    ...set.map(([name]) => name),
    ...said.filter((name) => typeof name === 'string'),
  ];
  const list = new Set([...HOP_BY_HOP, ...OWN, ...replaced.map((name) => dashed(lowerCased(name)))]);
  if (route.auth?.scheme === 'api_key') list.add(dashed(route.auth.header));
  else if (route.auth?.forwardCredentials === false) list.add('authorization');
  return list;
}

function appendIdentity(headers: string[], claims: IdentityClaims, names: IdentityHeaderNames): void {
  appendHeader(headers, names.userId, claims.sub);
  if (claims.email !== null) appendHeader(headers, names.userEmail, inBytes(claims.email));
  appendHeader(headers, names.userIssuer, claims.iss);
}

/** Headers hold one character a byte (RFC 9110 §5.5: obs-text). */
function inBytes(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text).toString('latin1');
}

const ASCII = /^[ -~]*$/;

function appendForwarded(headers: string[], request: ForwardedRequest, standard: boolean): void {
  const said = request.peerTrusted ? request.headers : NOTHING_SAID;
  headers.push('X-Forwarded-For', extend(headerList(said, 'x-forwarded-for'), request.peerAddress));
  headers.push('X-Forwarded-Proto', headerList(said, 'x-forwarded-proto') ?? request.scheme);
  const host = headerList(said, 'x-forwarded-host') ?? request.host;
  if (host !== '') headers.push('X-Forwarded-Host', host);
  if (standard) headers.push('Forwarded', extend(headerList(said, 'forwarded'), forwardedElement(request)));
}

const NOTHING_SAID: FlatHeaders = [];

/** One element of RFC 7239's list; an IPv6 address is quoted and bracketed (§6). */
function forwardedElement(request: ForwardedRequest): string {
  const address = request.peerAddress;
  const node = address.includes(':') ? quoted(`[${address}]`) : address;
  const host = request.host === '' ? '' : `host=${quoted(request.host)};`;
  return `for=${node};${host}proto=${request.scheme}`;
}
