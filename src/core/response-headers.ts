import { isCorsHeader } from './cors.ts';
import { type FieldName, fieldName, lowerCased, NameSet, ownName } from './field-names.ts';
import { Fields } from './fields.ts';
import { addVia, connectionNames, HOP_BY_HOP } from './headers.ts';
import type { Cors, HeaderNames, Table } from './table.ts';
import { WeakLookup } from './weak-lookup.ts';

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
  received: Fields,
  stamp: Stamp,
  cors: Cors | null,
  extra: Fields,
): Fields {
  const fields = new Fields();
  if (extra.isIndexed) fields.keepIndex();
  passHeaders(fields, status, received, stamp.names, cors);
  addStamp(fields, stamp, received.list(VIA));
  fields.append(extra);
  return fields;
}

const VIA = fieldName('Via');

/**
 * What an upstream says, less what is said of its hop, and what is for others to say. `head` names what is of its hop
 * (RFC 9110 §7.6.1): of trailers, it is another one.
 */
export function passedHeaders(
  status: number,
  received: Fields,
  names: HeaderNames,
  cors: Cors | null,
  head = received,
): Fields {
  const fields = new Fields();
  passHeaders(fields, status, received, names, cors, head);
  return fields;
}

function passHeaders(
  fields: Fields,
  status: number,
  received: Fields,
  names: HeaderNames,
  cors: Cors | null,
  head = received,
): void {
  const { withheld, withheldByCors } = namesOf(names);
  const also = alsoWithheld(connectionNames(head), hasNoLength(status));
  fields.pass(received, cors === null ? withheld : withheldByCors, also);
}

/** What else does not pass, by names in lower case; null if nothing. */
function alsoWithheld(
  named: ReadonlySet<string> | null,
  isWithoutLength: boolean,
): ((lowerName: string) => boolean) | null {
  if (named === null && !isWithoutLength) return null;
  return (lowerName) => named?.has(lowerName) === true || (isWithoutLength && lowerName === 'content-length');
}

/** RFC 9110 §8.6: no Content-Length where there can be no content. */
export function hasNoLength(status: number): boolean {
  return status < 200 || status === 204;
}

export function addStamp(fields: Fields, stamp: Stamp, receivedVia: string | null): void {
  const { requestId, responseTime, fixed } = namesOf(stamp.names);
  if (requestId !== null) fields.addText(requestId, stamp.requestId);
  if (responseTime !== null) fields.append(responseTime.of(Math.round(stamp.elapsedMs)));
  if (receivedVia === null) fields.append(fixed.of(stamp));
  else addFixed(fields, stamp, receivedVia);
}

function addFixed(fields: Fields, { names, upstreamName }: Stamp, receivedVia: string | null): void {
  const { proxyBy, backend } = names;
  if (proxyBy !== null) fields.addText(fieldName(proxyBy.name), proxyBy.value);
  if (backend !== null && upstreamName !== null) fields.addText(fieldName(backend), upstreamName);
  addVia(fields, receivedVia, '1.1', names.via);
}

/** Upstreams whose fields are kept. */
const BACKENDS_MAX = 1024;

/** What is the same on every answer of an upstream, or of our own, that names no other proxies. */
class FixedFields {
  readonly #byUpstream = new Map<string | null, Fields>();

  of(stamp: Stamp): Fields {
    return this.#byUpstream.get(stamp.upstreamName) ?? this.#make(stamp);
  }

  #make(stamp: Stamp): Fields {
    const fields = new Fields();
    addFixed(fields, stamp, null);
    if (this.#byUpstream.size === BACKENDS_MAX) this.#byUpstream.clear();
    this.#byUpstream.set(stamp.upstreamName, fields.settle());
    return fields;
  }
}

/** Answers that take less are told so by fields that are made once. */
const TIMES_KNOWN = 64;

class ResponseTimes {
  readonly #name: FieldName;
  readonly #known: Fields[] = [];

  constructor(name: FieldName) {
    this.#name = name;
  }

  of(ms: number): Fields {
    return this.#known[ms] ?? this.#make(ms);
  }

  #make(ms: number): Fields {
    const fields = new Fields();
    fields.addText(this.#name, `${ms}ms`);
    if (ms < TIMES_KNOWN) this.#known[ms] = fields.settle();
    return fields;
  }
}

type AnswerNames = {
  readonly requestId: FieldName | null;
  readonly responseTime: ResponseTimes | null;
  readonly fixed: FixedFields;
  /** What is for one hop, and what Signalbox says itself. */
  readonly withheld: NameSet;
  /** And what it says to scripts of other origins. */
  readonly withheldByCors: NameSet;
};

const known = new WeakLookup<HeaderNames, AnswerNames>();

/** Made once for the names of a configuration. */
function namesOf(names: HeaderNames): AnswerNames {
  const found = known.get(names);
  if (found !== undefined) return found;
  const { requestId, responseTime, proxyBy, backend } = names;
  const stamped = [requestId, responseTime, proxyBy?.name, backend].filter(
    (name) => typeof name === 'string',
  );
  const list = new Set([...HOP_BY_HOP, 'via', ...stamped.map(lowerCased)]);
  if (!names.passServer) list.add('server');
  const timeName = ownName(responseTime);
  return known.add(names, {
    requestId: ownName(requestId),
    responseTime: timeName === null ? null : new ResponseTimes(timeName),
    fixed: new FixedFields(),
    withheld: new NameSet((lowerName) => list.has(lowerName)),
    withheldByCors: new NameSet((lowerName) => list.has(lowerName) || isCorsHeader(lowerName)),
  });
}
