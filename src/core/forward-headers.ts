import { bracketed, formatEndpoint } from './endpoint.ts';
import { type FieldName, fieldName, lowerCased, NameSet, ownName } from './field-names.ts';
import { Fields } from './fields.ts';
import { addForwarded } from './forwarded.ts';
import { isWithoutRules, underHeaderRules } from './header-rules.ts';
import type { FlatHeaders } from './headers.ts';
import { addVia, connectionNames, HOP_BY_HOP } from './headers.ts';
import type { IdentityClaims } from './jwt/claims.ts';
import { forwardedOn } from './max-forwards.ts';
import type { Protocol } from './request-record.ts';
import type { HeaderNames, Route, Upstream } from './table.ts';
import type { ClientTls } from './tls.ts';
import { WeakLookup } from './weak-lookup.ts';

/** What the request's head said, as far as its headers on the way to the upstream depend on it. */
export type ForwardedRequest = {
  readonly method: string;
  readonly headers: Fields;
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
): Fields {
  const received = request.headers;
  const fields = new Fields();
  if (upstream.protocol === 'h2') fields.keepIndex();
  const { own, withheld, passedKey } = passageOf(route, names, request.peerTrusted);
  const named = connectionNames(received);
  const count = request.method === 'OPTIONS' ? countOf(received, named) : null;
  addHost(fields, request, upstream);
  fields.pass(received, withheld, alsoWithheld(named, passedKey, count));
  if (count !== null) fields.add(MAX_FORWARDS, forwardedOn(request.method, count));
  addForwarded(fields, request, names.forwarded);
  if (own.requestId !== null) fields.addText(own.requestId, requestId);
  fields.addText(TRACEPARENT, traceparent);
  if (tracestate !== null) fields.add(TRACESTATE, tracestate);
  if (claims !== null) fields.append(identityOf(claims, own));
  addFixed(fields, own, received.list(VIA), request.protocol, names.via);
  if (isWithoutRules(route.requestHeaders)) return fields;
  const { clientAddress, host, tls } = request;
  const facts = { clientAddress, host, requestId, routeName: route.name, upstreamName: upstream.name, tls };
  return underHeaderRules(fields, route.requestHeaders, facts);
}

function addFixed(
  fields: Fields,
  own: OwnNames,
  receivedVia: string | null,
  protocol: Protocol,
  pseudonym: string | null,
): void {
  if (receivedVia === null && protocol === '1.1') fields.append(own.fixedAndVia);
  else {
    fields.append(own.fixed);
    addVia(fields, receivedVia, protocol, pseudonym);
  }
}

const HOST = fieldName('Host');
const MAX_FORWARDS = fieldName('Max-Forwards');
const TRACEPARENT = fieldName('traceparent');
const TRACESTATE = fieldName('tracestate');
const VIA = fieldName('Via');

/** What is left of the way, where `Connection` does not keep that to this hop. */
function countOf(received: Fields, named: ReadonlySet<string> | null): string | null {
  return named?.has(MAX_FORWARDS.lower) ? null : received.value(MAX_FORWARDS);
}

/** What else does not pass, by names in lower case; null if nothing. */
function alsoWithheld(
  named: ReadonlySet<string> | null,
  passedKey: string | null,
  count: string | null,
): ((lowerName: string) => boolean) | null {
  if (named === null && count === null) return null;
  return (lowerName) =>
    (count !== null && lowerName === MAX_FORWARDS.lower) ||
    (named?.has(lowerName) === true && lowerName !== passedKey);
}

/**
 * What may follow a body: an upstream may take trailers for headers, so nothing passes there under a name that
 * would not pass for whoever wrote it in the head, which was `head`.
 */
export function forwardTrailers(
  trailers: FlatHeaders,
  head: Fields,
  route: Route,
  names: HeaderNames,
): string[] {
  const passed = new Fields();
  const named = connectionNames(head);
  const { withheld, passedKey } = passageOf(route, names, false);
  // The key passes in the head, where it was checked.
  const isNamed = (lowerName: string) => lowerName === passedKey || named?.has(lowerName) === true;
  passed.pass(Fields.of(trailers), withheld, isNamed);
  return passed.isSound ? passed.flat() : [];
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

function addHost(fields: Fields, request: ForwardedRequest, upstream: Upstream): void {
  if (upstream.host.kind === 'client' && request.host !== '') fields.addText(HOST, request.host);
  else fields.append(ownHostOf(upstream));
}

/** Made once for an upstream. */
function ownHostOf(upstream: Upstream): Fields {
  const { host, slot } = upstream;
  const known = ownHosts.get(upstream, slot);
  if (known !== undefined) return known;
  const made = new Fields();
  made.add(HOST, host.kind === 'fixed' ? host.value : authority(upstream));
  return ownHosts.add(upstream, made.settle());
}

/** Of upstreams. */
const HOSTS_AT_HAND = 64;
const ownHosts = new WeakLookup<Upstream, Fields>(HOSTS_AT_HAND);

/** `address:port`, without the port where it is the scheme's own (RFC 9110 §4.2). */
export function authority(upstream: Upstream): string {
  const schemePort = upstream.tls === null ? 80 : 443;
  return upstream.port === schemePort ? bracketed(upstream.address) : formatEndpoint(upstream);
}

/** What is known beforehand of a route's requests. */
type Passage = {
  readonly own: OwnNames;
  /** What of a client does not pass. */
  readonly withheld: NameSet;
  /** The header, lower case, whose key was checked here and passes as it came, its twins not; else null. */
  readonly passedKey: string | null;
};

type OwnNames = {
  readonly requestId: FieldName | null;
  /** The same on every request. */
  readonly fixed: Fields;
  /** The same on every one in HTTP/1.1 that names no other proxies. */
  readonly fixedAndVia: Fields;
  readonly userId: FieldName | null;
  readonly userEmail: FieldName | null;
  readonly userIssuer: FieldName | null;
};

type Passages = { readonly of: HeaderNames; readonly fromTrusted: Passage; readonly fromOthers: Passage };

const passages = new WeakLookup<Route, Passages>();

/** Made once for a route, which is of one configuration's names. */
function passageOf(route: Route, names: HeaderNames, peerTrusted: boolean): Passage {
  let known = passages.get(route) ?? passages.add(route, passagesFor(route, names));
  if (known.of !== names) known = passagesFor(route, names);
  return peerTrusted ? known.fromTrusted : known.fromOthers;
}

function passagesFor(route: Route, names: HeaderNames): Passages {
  const own = ownNamesOf(names);
  const list = withheldNames(route, names);
  const passage = (isTrusted: boolean) => passageFor(route, own, list, isTrusted);
  return { of: names, fromTrusted: passage(true), fromOthers: passage(false) };
}

function passageFor(
  { auth }: Route,
  own: OwnNames,
  list: ReadonlySet<string>,
  peerTrusted: boolean,
): Passage {
  const passedKey = auth?.scheme === 'api_key' && auth.forwardCredentials ? auth.header : null;
  const withheld = new NameSet((lowerName) => {
    const dashedName = dashed(lowerName);
    return lowerName !== passedKey && (list.has(dashedName) || isForged(lowerName, dashedName, peerTrusted));
  });
  return { own, withheld, passedKey };
}

const ownNames = new WeakLookup<HeaderNames, OwnNames>();

/** Made once for the names of a configuration. */
function ownNamesOf(names: HeaderNames): OwnNames {
  const known = ownNames.get(names);
  if (known !== undefined) return known;
  const { requestId, proxyBy, identity, via } = names;
  const fixed = Fields.of(proxyBy === null ? [] : [proxyBy.name, proxyBy.value]).settle();
  const fixedAndVia = new Fields();
  fixedAndVia.append(fixed);
  addVia(fixedAndVia, null, '1.1', via);
  return ownNames.add(names, {
    requestId: ownName(requestId),
    fixed,
    fixedAndVia: fixedAndVia.settle(),
    userId: ownName(identity.userId),
    userEmail: ownName(identity.userEmail),
    userIssuer: ownName(identity.userIssuer),
  });
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

type Told = { readonly of: OwnNames; readonly fields: Fields };

/** Made once for a verified token, for as long as that is remembered. */
function identityOf(claims: IdentityClaims, own: OwnNames): Fields {
  const known = told.get(claims);
  if (known?.of === own) return known.fields;
  const fields = new Fields();
  const { sub, email, iss } = claims;
  if (own.userId !== null) fields.add(own.userId, sub);
  if (own.userEmail !== null && email !== null) fields.add(own.userEmail, inBytes(email));
  if (own.userIssuer !== null) fields.add(own.userIssuer, iss);
  told.set(claims, { of: own, fields: fields.settle() });
  return fields;
}

const told = new WeakMap<IdentityClaims, Told>();

/** Headers hold one character a byte (RFC 9110 §5.5: obs-text). */
function inBytes(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text).toString('latin1');
}

const ASCII = /^[ -~]*$/;
