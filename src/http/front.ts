import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Outcome, RunRequest } from '#actors/request/run.ts';
import type { Clock } from '#core/clock.ts';
import { newTraceId } from '#core/ids.ts';
import { planFor } from '#core/plan.ts';
import type { RefusalCause } from '#core/refusals.ts';
import { appendStamp, type Stamp } from '#core/response-headers.ts';
import { matchRoute } from '#core/router.ts';
import type { Route, Table } from '#core/table.ts';
import type { TrustedProxies } from './client-address.ts';
import { finish, type RequestHead } from './exchange.ts';
import { sendRefusal } from './refuse.ts';
import { HttpReply, type Reply } from './reply.ts';
import { RequestBody } from './request-body.ts';
import { cameThrough, declaredBytes, readHead } from './request-head.ts';

/** One request as node:http delivers it. */
export type Arrival = {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse<IncomingMessage>;
  /** The protocol that the client asks to switch to, and that we would switch to; else null. */
  readonly upgrade: string | null;
  /** Whether the client waits for 100 Continue before it sends the body. */
  readonly awaitsContinue: boolean;
  /** Called once, when the request has come to its end. */
  readonly ended: (outcome: Outcome) => void;
};

/** Methods that would make of a proxy something else: a tunnel, or a mirror of credentials. */
const METHODS_REFUSED = new Set(['CONNECT', 'TRACE']);

export const HEALTH_PATH = '/health';

/**
 * The door: turns what the parser delivers into an exchange, which the request machine runs. Answers by
 * itself only what never reaches a route: `/health`, and requests that make no sense.
 */
export class Front {
  /** What new requests are admitted with; those under way keep theirs. */
  table: Table;
  /** Whether connections end with their answer, because the instance is draining. */
  isDraining = false;
  readonly #run: RunRequest;
  readonly #trusted: TrustedProxies;
  readonly #clock: Clock;

  constructor(table: Table, run: RunRequest, trusted: TrustedProxies, clock: Clock) {
    this.table = table;
    this.#run = run;
    this.#trusted = trusted;
    this.#clock = clock;
  }

  accept(arrival: Arrival): void {
    const { table } = this;
    const { incoming } = arrival;
    const reply = new HttpReply(arrival.response, arrival.awaitsContinue, () => this.isDraining);
    const id = newTraceId();
    const receivedMs = this.#clock.monotonicMs();
    const head = readHead(incoming, arrival.upgrade, this.#trusted, receivedMs);
    const route = head === null ? 'malformed_request' : routeFor(head, table);

    const body = new RequestBody(
      incoming,
      declaredBytes(incoming.rawHeaders),
      typeof route === 'string' ? 0 : route.retry.bodyBufferBytes,
      { invite: () => reply.inviteBody(), giveUp: () => reply.cut() },
    );
    if (head !== null && typeof route !== 'string') {
      const plan = planFor(route, head.method, body.bytes);
      this.#run({ id, table, route, plan, request: head, body, reply, notices: [] }, arrival.ended);
      return;
    }

    reply.onSent(() => arrival.ended(route === 'health' ? 'responded' : 'refused'));
    reply.onLeft(() => arrival.ended('abandoned'));
    const elapsedMs = this.#clock.monotonicMs() - receivedMs;
    const stamp = { names: table.headers, requestId: id, elapsedMs, upstreamName: null };
    const isHead = incoming.method === 'HEAD';
    if (route === 'health') sendHealth(reply, stamp, table.healthBody, isHead);
    else sendRefusal(reply, { cause: route as RefusalCause }, stamp, [], isHead);
    finish({ body, reply });
  }
}

/** The route of a request, or why it has none. */
function routeFor(head: RequestHead, table: Table): Route | 'health' | RefusalCause {
  if (METHODS_REFUSED.has(head.method)) return 'method_not_supported';
  if (head.target === HEALTH_PATH) return 'health';
  if (cameThrough(head.headers, table.headers.via)) return 'loop_detected';
  return matchRoute(table.routes, head) ?? 'no_route';
}

function sendHealth(reply: Reply, stamp: Stamp, body: string, isHead: boolean): void {
  const headers = [
    'Content-Type',
    'application/json',
    'Content-Length',
    `${Buffer.byteLength(body)}`,
    'Cache-Control',
    'no-store',
  ];
  appendStamp(headers, stamp, null);
  reply.head(200, 'OK', headers);
  if (!isHead) reply.write(body);
}
