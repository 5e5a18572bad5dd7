import type { Answer } from '#actors/request/answer.ts';
import type { Exchange } from '#actors/request/exchange.ts';
import type { Identity, RequestSteps } from '#actors/request/steps.ts';
import type { Work } from '#actors/step.ts';
import type { Clock } from '#core/clock.ts';
import type { Fields } from '#core/fields.ts';
import { forwardHeaders, forwardTrailers } from '#core/forward-headers.ts';
import { type FlatHeaders, takesTrailers } from '#core/headers.ts';
import { passedHeaders } from '#core/response-headers.ts';
import type { Pool, Upstream } from '#core/table.ts';
import { formatTraceparent } from '#core/trace/traceparent.ts';
import { Attempt, type AttemptObserver } from '../attempt.ts';
import { failureCause } from '../attempt-failure.ts';
import { type AttemptBooks, AttemptRecord } from '../attempt-record.ts';
import { poolOf } from '../exchange.ts';
import { passableTrailers } from '../h1/trailers.ts';
import type { Claims } from '../in-flight/claims.ts';
import type { RequestRecorder } from '../request-recorder.ts';
import type { UpstreamClients } from '../upstream-clients.ts';

const QUEUED = { type: 'attempt.queued' } as const;
const STARTED = { type: 'attempt.started' } as const;
const NO_TRAILERS = (): FlatHeaders => [];

type Machine = Parameters<RequestSteps['forward']>[1];

/** The request machine's step `forward`: one attempt at one upstream, up to the head of its answer. */
export function forwardStep(
  clients: UpstreamClients,
  claims: Claims,
  books: AttemptBooks,
  recorder: RequestRecorder,
): RequestSteps['forward'] {
  return ({ exchange, identity, upstream }, machine) => {
    const { request, route } = exchange;
    const client = clients.for(upstream, route.timeouts.connectMs);
    const headers = headersFor(exchange, upstream, identity, recorder.attemptBegun(exchange, upstream));
    const takes = takesTrailers(request.headers);
    // Nothing below throws: the transport reports to the attempt, which ends what begins here.
    const pool = poolOf(exchange);
    if (pool.inFlight !== null) claims.take(exchange);
    const forwarding = begin(exchange, upstream, pool, books, machine);
    const { attempt } = forwarding;
    books.metrics.attemptBegun(upstream);
    const body = exchange.body.open(attempt);
    const isSent = client.dispatch(
      {
        method: request.method,
        path: request.target,
        headers,
        upgrade: request.upgrade,
        takesTrailers: takes,
        body,
        trailers: body === null ? NO_TRAILERS : trailersOf(exchange),
      },
      attempt,
    );
    if (!isSent) attempt.awaitConnection(route.timeouts.attemptMs);
    forwarding.dispatched();
    return forwarding;
  };
}

/** By itself: in the step, V8 has inlined too much already, and to call a constructor costs 300 instructions. */
function begin(
  exchange: Exchange,
  upstream: Upstream,
  pool: Pool,
  books: AttemptBooks,
  machine: Machine,
): Forwarding {
  const record = new AttemptRecord(books, upstream, exchange.request.method, pool, books.clock.monotonicMs());
  return new Forwarding(exchange, upstream, record, books.clock, machine);
}

/** What comes of an attempt, for the machine and for the books. */
class Forwarding implements AttemptObserver, Work {
  readonly attempt: Attempt;
  #isAnswered = false;
  /** The transport has said something of it. */
  #isKnown = false;
  #isQueued = false;
  readonly #exchange: Exchange;
  readonly #upstream: Upstream;
  readonly #record: AttemptRecord;
  readonly #machine: Machine;

  constructor(exchange: Exchange, upstream: Upstream, record: AttemptRecord, clock: Clock, machine: Machine) {
    this.attempt = new Attempt(upstream, exchange.route.timeouts, clock, this);
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#record = record;
    this.#machine = machine;
  }

  /** That it was started is told where it was not at once: most attempts are. */
  dispatched(): void {
    if (this.#isKnown) return;
    this.#isQueued = true;
    this.#machine.tell(QUEUED);
  }

  started(): void {
    this.#isKnown = true;
    this.#record.started();
    if (this.#isQueued) this.#machine.tell(STARTED);
  }

  informed(status: number, headers: Fields): void {
    const { table, reply } = this.#exchange;
    reply.inform(status, passedHeaders(status, headers, table.headers, null));
  }

  answered(answer: Answer): void {
    this.#isAnswered = true;
    this.#record.answered(answer.status);
    this.#machine.tell({ type: 'attempt.answered', status: answer.status, answer });
  }

  failed(error: Error, written: boolean): void {
    const cause = failureCause(error, written);
    this.#isKnown = true;
    this.#record.failed(cause);
    this.#machine.tell({
      type: 'attempt.failed',
      failure: { upstream: this.#upstream.name, cause, written },
    });
  }

  settled(): void {
    this.#record.settled();
  }

  stop(): void {
    if (this.#isAnswered) return;
    this.#record.givenUp(this.#exchange.reply.isGone ? 'client_left' : 'upstream_timeout');
    this.attempt.release();
  }
}

/** To be asked for when the body has ended. */
function trailersOf({ body, request, route, table }: Exchange): () => FlatHeaders {
  return () => forwardTrailers(passableTrailers(body.trailers), request.headers, route, table.headers);
}

function headersFor(
  { table, route, request, id, trace }: Exchange,
  upstream: Upstream,
  identity: Identity | null,
  spanId: string,
): Fields {
  const facts = {
    requestId: id,
    traceparent: formatTraceparent(trace.traceId, spanId, trace.isSampled),
    tracestate: trace.tracestate,
    claims: identity?.claims ?? null,
  };
  return forwardHeaders(request, route, table.headers, upstream, facts);
}
