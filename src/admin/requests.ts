import type { Clock } from '#core/clock.ts';
import type { RecordedAttempt, RequestRecord } from '#core/request-record.ts';
import type { RequestFilter, RequestLookup } from '#telemetry/request-lookup.ts';
import { type AdminAnswer, type AdminRoutes, json } from './api.ts';
import { problem } from './problem.ts';

/** Of one answer. */
const REQUESTS_MAX = 1_000;
const REQUESTS_DEFAULT = 20;

export type RequestsView = {
  readonly requests: RequestLookup;
  /** Where a trace is shown, with `{trace_id}` in place of its id; null for nowhere. */
  readonly traceUrl: string | null;
  readonly clock: Clock;
};

/** What became of the latest requests, and of those that are under way. */
export function requestsRoutes(view: RequestsView): AdminRoutes {
  return new Map([
    ['GET /api/requests', ({ query }) => list(view, query)],
    ['GET /api/requests/*', ({ name }) => show(view, name)],
  ]);
}

function list({ requests, clock }: RequestsView, query: URLSearchParams): AdminAnswer {
  const filter = filterOf(query.get('status') ?? '');
  if (filter === null) {
    return problem(400, 'status: expected a status such as 404, a class such as 5xx, or open');
  }
  const limit = Number(query.get('limit') ?? REQUESTS_DEFAULT);
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= REQUESTS_MAX)) {
    return problem(400, `limit: expected a whole number from 1 to ${REQUESTS_MAX}`);
  }
  return json(200, { requests: requests.latest(filter, limit).map((it) => summary(it, clock)) });
}

function filterOf(status: string): RequestFilter | null {
  if (status === '') return () => true;
  if (status === 'open') return ({ isOpen }) => isOpen;
  const [, hundreds] = /^([1-5])xx$/i.exec(status) ?? [];
  if (hundreds !== undefined) return (glance) => Math.floor(glance.status / 100) === Number(hundreds);
  return /^[1-5]\d\d$/.test(status) ? (glance) => glance.status === Number(status) : null;
}

function show(view: RequestsView, id: string): AdminAnswer {
  const found = view.requests.find(id.toLowerCase());
  if (found.length > 0) return json(200, { requests: found.map((record) => detail(record, view)) });
  return problem(
    404,
    'no such request is remembered here: it is too long ago, another instance served it, or there was none',
  );
}

function summary(record: RequestRecord, clock: Clock) {
  const { traceId, worker, startMs, endMs, method, target, route, status, outcome, cause, attempts } = record;
  return {
    id: traceId,
    worker,
    started_at_ms: Math.round(clock.wallMs() - clock.monotonicMs() + startMs),
    duration_ms: rounded((endMs ?? clock.monotonicMs()) - startMs),
    method,
    target,
    route,
    status,
    outcome: outcome ?? 'open',
    cause,
    attempts: attempts.length,
    upstream: attempts.at(-1)?.upstream ?? null,
  };
}

function detail(record: RequestRecord, { traceUrl, clock }: RequestsView) {
  const { startMs, traceId, states } = record;
  const nowMs = record.endMs ?? clock.monotonicMs();
  const isShown = record.isTraced || record.isSampled;
  return {
    ...summary(record, clock),
    scheme: record.scheme,
    protocol: record.protocol,
    host: record.host,
    client_address: record.clientAddress,
    peer_address: record.peerAddress,
    user_agent: record.userAgent,
    auth: record.auth,
    identity: record.identity,
    limit: record.limit,
    limit_remaining: record.limitRemaining,
    request_bytes: record.requestBytes,
    response_bytes: record.responseBytes,
    states: states.map(({ path, enteredMs }, index) => ({
      state: path,
      at_ms: rounded(enteredMs - startMs),
      duration_ms: rounded((states[index + 1]?.enteredMs ?? nowMs) - enteredMs),
    })),
    attempts: record.attempts.map((attempt) => describeAttempt(attempt, startMs, nowMs)),
    trace: {
      parent_span_id: record.parentSpanId,
      sampled: record.isSampled,
      url: isShown ? (traceUrl?.replaceAll('{trace_id}', traceId) ?? null) : null,
    },
  };
}

function describeAttempt(attempt: RecordedAttempt, startMs: number, nowMs: number) {
  const { pool, upstream, scheme, address, port, spanId, status, error } = attempt;
  return {
    pool,
    upstream,
    scheme,
    address,
    port,
    span_id: spanId,
    at_ms: rounded(attempt.startMs - startMs),
    duration_ms: rounded((attempt.endMs ?? nowMs) - attempt.startMs),
    status,
    error,
  };
}

/** To the microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
