import type { Route } from './table.ts';
import { WeakLookup } from './weak-lookup.ts';

/** What the request machine may know of a request: how often, how long and whether to try again. */
export type Plan = {
  /** Whether a first part of the body has to come before an upstream is chosen. */
  readonly receivesFirst: boolean;
  readonly attemptsMax: number;
  /** Whether the request may be sent again after some of it was written. */
  readonly resendable: boolean;
  readonly retryOnStatus: readonly number[];
  /** Infinity when the body is too long to be kept: only the transport's own deadlines bound it then. */
  readonly attemptMs: number;
  readonly requestMs: number;
};

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Requests that ask for nothing but an answer are alike: their plan is made once for a route. */
const plansOfGet = new WeakLookup<Route, Plan>();

/** `bodyBytes` is the body's declared length, 0 without a body, Infinity when it is not declared. */
export function planFor(route: Route, method: string, bodyBytes: number): Plan {
  if (method !== 'GET' || bodyBytes !== 0) return makePlan(route, IDEMPOTENT.has(method), bodyBytes);
  return plansOfGet.get(route) ?? plansOfGet.add(route, makePlan(route, true, 0));
}

function makePlan({ retry, timeouts }: Route, isIdempotent: boolean, bodyBytes: number): Plan {
  const kept = bodyBytes <= retry.bodyBufferBytes;
  return {
    receivesFirst: bodyBytes > 0 && retry.bodyBufferBytes > 0,
    attemptsMax: retry.attempts,
    resendable: retry.nonIdempotent || isIdempotent,
    retryOnStatus: retry.onStatus,
    attemptMs: kept ? timeouts.attemptMs : Infinity,
    requestMs: kept ? timeouts.requestMs : Infinity,
  };
}
