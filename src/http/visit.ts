import type { RequestHead } from '#actors/request/exchange.ts';
import type { Outcome } from '#actors/request/run.ts';
import type { Clock } from '#core/clock.ts';
import type { TraceContext } from '#core/trace/context.ts';
import type { Arrival } from './arrival.ts';
import type { LocalRequest } from './local.ts';
import type { RequestMetrics, RouteLabel } from './request-metrics.ts';
import type { RequestRecorder } from './request-recorder.ts';

/** Where requests are counted and recorded. */
export type VisitBooks = {
  readonly metrics: RequestMetrics;
  readonly recorder: RequestRecorder;
  readonly clock: Clock;
};

/** One request that was let in, or is refused. Counts as active until it is told that it has `ended`, once. */
export class Visit {
  readonly body: LocalRequest['body'];
  /** Null where it makes no sense. */
  readonly request: RequestHead | null;
  readonly receivedMs: number;
  readonly trace: TraceContext;
  readonly record: number;
  readonly #books: VisitBooks;
  readonly #arrival: Arrival;
  readonly #label: RouteLabel;
  readonly #scheme: RequestHead['scheme'];

  constructor(
    books: VisitBooks,
    arrival: Arrival,
    request: RequestHead | null,
    body: LocalRequest['body'],
    label: RouteLabel,
    receivedMs: number,
  ) {
    const { trace, record } = books.recorder.begin(request, label, receivedMs);
    this.body = body;
    this.request = request;
    this.receivedMs = receivedMs;
    this.trace = trace;
    this.record = record;
    this.#books = books;
    this.#arrival = arrival;
    this.#label = label;
    this.#scheme = request?.scheme ?? 'http';
    books.metrics.requestBegun(arrival.method, this.#scheme);
  }

  ended(outcome: Outcome): void {
    const { metrics, recorder, clock } = this.#books;
    const { method, reply } = this.#arrival;
    this.body.forget();
    recorder.ended(this.record, outcome, reply.status, this.body.readBytes);
    const seconds = (clock.monotonicMs() - this.receivedMs) / 1000;
    metrics.requestEnded(this.#label, method, this.#scheme, reply.status, seconds);
    this.#arrival.ended(outcome);
  }
}
