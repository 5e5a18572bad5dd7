import type { Clock } from '#core/clock.ts';
import { type FailureKind, type Outcome, outcomeOf } from '#core/outcome.ts';
import type { PlainCause } from '#core/refusals.ts';
import type { OutlierLimits, Upstream } from '#core/table.ts';
import type { UpstreamCells } from '#shared/upstream-cells.ts';
import { isUnreachable, isUpstreamsFault } from './attempt-failure.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** What attempts are recorded in, and by which rules. */
export type AttemptBooks = {
  readonly cells: UpstreamCells;
  readonly metrics: RequestMetrics;
  readonly clock: Clock;
  /** Too many attempts in a row have failed at the slot's upstream. */
  readonly onFailing: (slot: number, kind: FailureKind) => void;
};

/** What one attempt says of its upstream, for those who choose among upstreams and those who watch them. */
export class AttemptRecord {
  readonly #books: AttemptBooks;
  readonly #upstream: Upstream;
  readonly #method: string;
  readonly #limits: OutlierLimits;
  readonly #begunMs: number;
  #isStarted = false;
  #isOver = false;

  /** Counts the upstream as busy, until `settled`. */
  constructor(books: AttemptBooks, upstream: Upstream, method: string, limits: OutlierLimits) {
    this.#books = books;
    this.#upstream = upstream;
    this.#method = method;
    this.#limits = limits;
    this.#begunMs = books.clock.monotonicMs();
    books.cells.begin(upstream.slot);
  }

  /** There is a connection, and the request goes out. */
  started(): void {
    this.#isStarted = true;
    this.#books.cells.admission.reportReachable(this.#upstream.slot);
  }

  answered(status: number): void {
    const { cells, metrics, clock } = this.#books;
    const nowMs = clock.monotonicMs();
    this.#isOver = true;
    cells.observeLatency(this.#upstream.slot, nowMs - this.#begunMs, nowMs);
    metrics.attemptAnswered(this.#upstream, this.#method, status, (nowMs - this.#begunMs) / 1000);
    this.#count(outcomeOf(status));
  }

  failed(cause: PlainCause): void {
    const { cells, metrics, clock } = this.#books;
    const nowMs = clock.monotonicMs();
    this.#isOver = true;
    if (isUnreachable(cause)) cells.admission.reportUnreachable(this.#upstream.slot, nowMs);
    metrics.attemptFailed(this.#upstream, this.#method, cause, (nowMs - this.#begunMs) / 1000);
    if (isUpstreamsFault(cause)) this.#count('gateway_failure');
  }

  /** Nobody waits for it any more. Nothing, if it was over. */
  givenUp(why: 'client_left' | 'upstream_timeout'): void {
    if (this.#isOver) return;
    const { metrics, clock } = this.#books;
    this.#isOver = true;
    metrics.attemptFailed(this.#upstream, this.#method, why, (clock.monotonicMs() - this.#begunMs) / 1000);
    // One that waited for a connection in vain may have waited for others of ours.
    if (this.#isStarted && why === 'upstream_timeout') this.#count('gateway_failure');
  }

  settled(): void {
    this.#books.cells.end(this.#upstream.slot);
  }

  #count(outcome: Outcome): void {
    const { slot } = this.#upstream;
    const kind = this.#books.cells.outcomes.record(slot, outcome, this.#limits);
    if (kind !== null) this.#books.onFailing(slot, kind);
  }
}
