import { fieldName } from './field-names.ts';
import { Fields } from './fields.ts';
import type { ForwardedRequest } from './forward-headers.ts';
import { extend } from './headers.ts';
import { interned } from './own-text.ts';
import { quoted } from './quoted-string.ts';
import { RecentTexts } from './recent-texts.ts';

const FORWARDED = fieldName('Forwarded');
const FORWARDED_FOR = fieldName('X-Forwarded-For');
const FORWARDED_HOST = fieldName('X-Forwarded-Host');
const FORWARDED_PROTO = fieldName('X-Forwarded-Proto');

/** Of the fields that begin as `forwardedStart` says, in order. */
const NAMES = [FORWARDED_PROTO, FORWARDED_HOST, FORWARDED_FOR];

const NOTHING_SAID = new Fields();

type Scheme = ForwardedRequest['scheme'];

/** What an upstream is told of how a request came here; `standard`: by `Forwarded` (RFC 7239), too. */
export function addForwarded(fields: Fields, request: ForwardedRequest, standard: boolean): void {
  const { host, scheme, peerAddress } = request;
  const said = request.peerTrusted ? request.headers : null;
  if (said !== null || host === '') addExtended(fields, request, said ?? NOTHING_SAID);
  else fields.addLines(NAMES, `${forwardedStart(scheme, host)}${peerAddress}`);
  if (standard) fields.add(FORWARDED, extend(said?.list(FORWARDED) ?? null, forwardedElement(request)));
}

function addExtended(fields: Fields, request: ForwardedRequest, said: Fields): void {
  fields.addText(FORWARDED_PROTO, said.list(FORWARDED_PROTO) ?? request.scheme);
  const host = said.list(FORWARDED_HOST) ?? request.host;
  if (host !== '') fields.addText(FORWARDED_HOST, host);
  fields.addText(FORWARDED_FOR, extend(said.list(FORWARDED_FOR), request.peerAddress));
}

/**
 * All up to where X-Forwarded-For says from whom a request came: the same for all clients of a host. Most requests are
 * for one of few hosts, for which that is put together once. `host` is not empty, and text as it may stand in a field.
 */
export function forwardedStart(scheme: Scheme, host: string): string {
  return known[scheme].find(host) ?? startOf(scheme, host);
}

const known = {
  http: new RecentTexts((host) => interned(startOf('http', host))),
  https: new RecentTexts((host) => interned(startOf('https', host))),
};

function startOf(scheme: Scheme, host: string): string {
  return `${FORWARDED_PROTO.start}${scheme}${FORWARDED_HOST.start}${host}${FORWARDED_FOR.start}`;
}

/** One element of RFC 7239's list; an IPv6 address is quoted and bracketed (§6). */
function forwardedElement({ peerAddress, host, scheme }: ForwardedRequest): string {
  const node = peerAddress.includes(':') ? quoted(`[${peerAddress}]`) : peerAddress;
  const named = host === '' ? '' : `host=${quoted(host)};`;
  return `for=${node};${named}proto=${scheme}`;
}
