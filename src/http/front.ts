import type { RequestHead } from '#actors/request/exchange.ts';
import type { RunRequest } from '#actors/request/run.ts';
import { preflightMethod } from '#core/cors.ts';
import { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import { planFor } from '#core/plan.ts';
import type { PlainCause, Refusal } from '#core/refusals.ts';
import { type Stamp, stampOf } from '#core/response-headers.ts';
import { matchRoute } from '#core/router.ts';
import type { Door, Route, Table } from '#core/table.ts';
import type { HeldBytes } from '#shared/held-bytes.ts';
import type { AddressBlocks } from './address-blocks.ts';
import type { Arrival } from './arrival.ts';
import { type Entry, enter } from './door.ts';
import { finish } from './exchange.ts';
import { type Local, type LocalAnswer, sendLocal } from './local.ts';
import { LocalIndex } from './local-index.ts';
import type { Overload } from './overload.ts';
import { sendRefusal } from './refuse.ts';
import { RequestBody, type RequestBodyBounds, type RequestBodyHooks } from './request-body.ts';
import { readHead, timesThrough } from './request-head.ts';
import { NO_ROUTE, type RouteLabel } from './request-metrics.ts';
import { Visit, type VisitBooks } from './visit.ts';
import { NO_BODY, WholeBody } from './whole-body.ts';

/** Methods that would make of a proxy something else: a tunnel, or a mirror of credentials. */
function isMethodRefused(method: string): boolean {
  return method === 'CONNECT' || method === 'TRACE';
}

/**
 * By then, a request that names us in `Via` so often goes in circles. All instances have one name, and may
 * stand behind one another, as at an edge and inside; hardly more than twice.
 */
const TIMES_THROUGH_MAX = 4;

/** Between two reads of a body that no route asked for. */
const LOCAL_IDLE_MS = 5_000;

/** Where a request goes: to an upstream, to an answer of our own, or nowhere, and why. */
type Destination = Route | Local | PlainCause;

export type FrontOptions = VisitBooks & {
  readonly table: Table;
  readonly run: RunRequest;
  /** What is answered here, before routes are looked at. */
  readonly locals: readonly Local[];
  readonly trusted: AddressBlocks;
  readonly overload: Overload;
  readonly held: HeldBytes;
};

/**
 * The door: turns what the parser delivers into an exchange, which the request machine runs. Answers by
 * itself only what never reaches a route: local paths, and requests that make no sense.
 */
export class Front {
  /** What new requests are admitted with; those under way keep theirs. */
  table: Table;
  readonly #options: FrontOptions;
  readonly #locals: LocalIndex;

  constructor(options: FrontOptions) {
    this.table = options.table;
    this.#options = options;
    this.#locals = new LocalIndex(options.locals);
  }

  accept(arrival: Arrival): void {
    const { run, trusted, held, clock } = this.#options;
    const { table } = this;
    const { method, fault, reply } = arrival;
    const receivedMs = clock.monotonicMs();
    const request = fault === null ? readHead(arrival, trusted, receivedMs) : null;
    const to = request === null ? (fault ?? unread(method)) : destinationOf(request, table, this.#locals);
    const entry = request === null ? UNREAD : this.#enter(to, request, arrival.bodyBytes);
    const { notices } = entry;
    const route = entry.answer === null ? routeOf(to) : null;

    const body = bodyOf(arrival, route, held);
    const visit = new Visit(this.#options, arrival, request, body, labelOf(to), receivedMs);
    if (request === null || route === null) this.#answer(arrival, to, entry, visit);
    else {
      const { trace, record } = visit;
      const plan = planFor(route, request.method, body.bytes);
      run({ id: trace.traceId, trace, record, table, route, plan, request, body, reply, notices }, visit);
    }
  }

  /** Local answers are none of the work that is shed: they cost little, or another thread. */
  #enter(to: Destination, request: RequestHead, bodyBytes: number): Entry {
    const { overload, metrics } = this.#options;
    const route = routeOf(to);
    const entry = enter(route ?? doorOf(to, this.table), request);
    if (entry.answer !== null || route === null) return entry;
    if (isTooLong(route, bodyBytes)) return { ...entry, answer: 'body_too_large' };
    const reason = overload.shed(request.receivedMs);
    if (reason === null) return entry;
    metrics.shed(reason);
    return { ...entry, answer: 'overloaded' };
  }

  /** Without an upstream. */
  #answer(arrival: Arrival, to: Destination, entry: Entry, visit: Visit): void {
    const { recorder, clock } = this.#options;
    const { table } = this;
    const { method, reply } = arrival;
    const { record, request, body, receivedMs } = visit;
    const id = visit.trace.traceId;
    reply.onLeft(() => visit.ended('abandoned'));
    const isHead = method === 'HEAD';
    const send = (answer: LocalAnswer) => {
      if (reply.isGone) return;
      const stamp = stampOf(table, id, clock.monotonicMs() - receivedMs);
      const said = typeof answer === 'string' ? { refusal: { cause: answer } } : answer;
      reply.onSent(() => visit.ended('refusal' in said ? 'refused' : 'responded'));
      if (!('refusal' in said)) sendLocal(reply, said, stamp, entry.notices, isHead);
      else {
        recorder.refused(record, said.refusal.cause);
        const notices = Fields.of(refusalHeadersOf(to));
        notices.append(entry.notices);
        this.#refuse(said.refusal, arrival, stamp, notices);
      }
      finish({ body, reply });
    };
    if (entry.answer !== null) send(entry.answer);
    else if (request !== null && typeof to !== 'string' && isLocal(to))
      to.answer({ id, table, request, body }, send);
    else if (typeof to === 'string') send(to);
  }

  #refuse(refusal: Refusal, arrival: Arrival, stamp: Stamp, notices: Fields): void {
    this.#options.metrics.refused(refusal.cause);
    sendRefusal(arrival.reply, refusal, stamp, notices, arrival);
  }
}

/** CONNECT names no path, and is not to be blamed for that. */
function unread(method: string): PlainCause {
  return isMethodRefused(method) ? 'method_not_supported' : 'malformed_request';
}

/** A preflight is for whoever would get the request that it announces, if that speaks to other origins. */
function destinationOf(head: RequestHead, table: Table, locals: LocalIndex): Destination {
  const method = preflightMethod(head.method, head.headers);
  const announced = method === null ? null : find({ ...head, method }, table, locals);
  if (announced !== null && doorOf(announced, table).cors !== null) return announced;
  return find(head, table, locals);
}

function find(head: RequestHead, table: Table, locals: LocalIndex): Destination {
  if (isMethodRefused(head.method)) return 'method_not_supported';
  const local = locals.find(head);
  if (local !== null) return local;
  if (timesThrough(head.headers, table.headers.via) >= TIMES_THROUGH_MAX) return 'loop_detected';
  return matchRoute(table.routes, head) ?? 'no_route';
}

const OPEN: Door = { access: null, cors: null };
const UNREAD: Entry = { notices: new Fields(), answer: null };

function doorOf(to: Destination, table: Table): Door {
  if (typeof to === 'string') return OPEN;
  if (!isLocal(to)) return to;
  return to.isOpen === true ? OPEN : table.localDoor;
}

/** What a local answer takes of a body, it bounds itself. */
const UNBOUNDED: RequestBodyBounds = { keptBytesMax: 0, bytesMax: null };

function bodyOf(arrival: Arrival, route: Route | null, held: HeldBytes) {
  const { body, wholeBody, bodyBytes } = arrival;
  if (wholeBody !== null) return new WholeBody(wholeBody, boundsOf(route).keptBytesMax, held);
  if (body === null) return NO_BODY;
  return new RequestBody(body, bodyBytes, boundsOf(route), hooksOf(arrival, route), held);
}

/** By itself: what they have in common would be made for every request, had it a body or not. */
function hooksOf({ reply }: Arrival, route: Route | null): RequestBodyHooks {
  const idleMs = route?.timeouts.idleMs ?? LOCAL_IDLE_MS;
  const rateMin = route?.bodyRateMin ?? 0;
  return {
    invite: () => reply.inviteBody(),
    awaitClient: (isAwaited) => reply.expectProgress(isAwaited ? idleMs : 0, rateMin),
  };
}

function boundsOf(route: Route | null): RequestBodyBounds {
  if (route === null) return UNBOUNDED;
  return { keptBytesMax: route.retry.bodyBufferBytes, bytesMax: route.bodyBytesMax };
}

/** A body whose length is not declared is cut when it turns out to be too long. */
function isTooLong({ bodyBytesMax }: Route, declaredBytes: number): boolean {
  return bodyBytesMax !== null && declaredBytes > bodyBytesMax && declaredBytes < Infinity;
}

function routeOf(to: Destination): Route | null {
  return typeof to === 'string' || isLocal(to) ? null : to;
}

function labelOf(to: Destination): RouteLabel {
  return typeof to === 'string' ? NO_ROUTE : to;
}

function refusalHeadersOf(to: Destination): FlatHeaders {
  return typeof to !== 'string' && isLocal(to) ? (to.refusalHeaders ?? []) : [];
}

function isLocal(to: Route | Local): to is Local {
  return 'answer' in to;
}
