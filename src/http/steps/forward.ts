import type { Exchange } from '#actors/request/exchange.ts';
import type { Identity, RequestSteps } from '#actors/request/steps.ts';
import { forwardHeaders, forwardTrailers } from '#core/forward-headers.ts';
import { takesTrailers } from '#core/headers.ts';
import { passedHeaders } from '#core/response-headers.ts';
import type { Upstream } from '#core/table.ts';
import { formatTraceparent } from '#core/trace/traceparent.ts';
import { Attempt } from '../attempt.ts';
import { failureCause } from '../attempt-failure.ts';
import { type AttemptBooks, AttemptRecord } from '../attempt-record.ts';
import { poolOf } from '../exchange.ts';
import { passableTrailers } from '../h1/trailers.ts';
import type { Claims } from '../in-flight/claims.ts';
import type { RequestRecorder } from '../request-recorder.ts';
import type { UpstreamClients } from '../upstream-clients.ts';

const STARTED = { type: 'attempt.started' } as const;

/** The request machine's step `forward`: one attempt at one upstream, up to the head of its answer. */
export function forwardStep(
  clients: UpstreamClients,
  claims: Claims,
  books: AttemptBooks,
  recorder: RequestRecorder,
): RequestSteps['forward'] {
  return ({ exchange, identity, upstream }, tell) => {
    const { table, request, route, reply } = exchange;
    const client = clients.for(upstream, route.timeouts.connectMs);
    const head = requestHead(exchange, upstream, identity, recorder.attemptBegun(exchange, upstream));
    // Nothing below throws: the transport reports to the attempt, which ends what begins here.
    const pool = poolOf(exchange);
    if (pool.inFlight !== null) claims.take(exchange);
    const record = new AttemptRecord(books, upstream, request.method, pool);
    let isAnswered = false;

    const attempt = new Attempt(upstream, route.timeouts, books.clock, {
      started: () => {
        record.started();
        tell(STARTED);
      },
      informed: (status, headers) =>
        reply.inform(status, passedHeaders(status, headers, table.headers, null)),
      answered: (answer) => {
        isAnswered = true;
        record.answered(answer.status);
        tell({ type: 'attempt.answered', status: answer.status, answer });
      },
      failed: (error, written) => {
        const cause = failureCause(error, written);
        record.failed(cause);
        tell({ type: 'attempt.failed', failure: { upstream: upstream.name, cause, written } });
      },
      settled: () => record.settled(),
    });

    books.metrics.attemptBegun(upstream);
    const body = exchange.body.open((isClients) => attempt.awaitClient(isClients));
    const trailers = () =>
      forwardTrailers(passableTrailers(exchange.body.trailers), request.headers, route, table.headers);
    const isSent = client.dispatch({ ...head, body, trailers }, attempt);
    if (!isSent) attempt.awaitConnection(route.timeouts.attemptMs);
    return () => {
      record.givenUp(reply.isGone ? 'client_left' : 'upstream_timeout');
      if (!isAnswered) attempt.release();
    };
  };
}

function requestHead(
  { table, route, request, id, trace }: Exchange,
  upstream: Upstream,
  identity: Identity | null,
  spanId: string,
) {
  const facts = {
    requestId: id,
    traceparent: formatTraceparent(trace.traceId, spanId, trace.isSampled),
    tracestate: trace.tracestate,
    claims: identity?.claims ?? null,
  };
  return {
    method: request.method,
    path: request.target,
    headers: forwardHeaders(request, route, table.headers, upstream, facts),
    upgrade: request.upgrade,
    takesTrailers: takesTrailers(request.headers),
  };
}
