import type { Clock } from '#core/clock.ts';
import { type FailureKind, outcomeOf } from '#core/outcome.ts';
import type { PlainCause } from '#core/refusals.ts';
import type { Pool, Upstream } from '#core/table.ts';
import type { UpstreamCells } from '#shared/upstream-cells.ts';
import { isUnreachable, isUpstreamsFault } from './attempt-failure.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** What attempts are recorded in, and by which rules. */
export type AttemptBooks = {
  readonly cells: UpstreamCells;
  readonly metrics: RequestMetrics;
  readonly clock: Clock;
  /** Something has to be done about the slot's upstream, or looked into. */
  readonly onFailing: (slot: number, kind: FailureKind) => void;
  /** One of the pool's upstreams has room for another request; for pools whose upstreams have a bound. */
  readonly onFreed: (pool: Pool) => void;
};

/** What one attempt says of its upstream, for those who choose among upstreams and those who watch them. */
export class AttemptRecord {
  readonly #books: AttemptBooks;
  readonly #upstream: Upstream;
  readonly #method: string;
  readonly #pool: Pool;
  readonly #begunMs: number;
  #isStarted = false;
  #isOver = false;

  /**
   * Counts the upstream as busy, until `settled`; one with a bound is counted already. `begunMs` is the clock's: V8 would
   * not inline a constructor that reads it.
   */
  constructor(books: AttemptBooks, upstream: Upstream, method: string, pool: Pool, begunMs: number) {
    this.#books = books;
    this.#upstream = upstream;
    this.#method = method;
    this.#pool = pool;
    this.#begunMs = begunMs;
    if (pool.inFlight === null) books.cells.begin(upstream.slot);
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
    this.#tell(cells.outcomes.record(this.#upstream.slot, outcomeOf(status), this.#pool.outliers));
  }

  failed(cause: PlainCause): void {
    const { metrics, clock } = this.#books;
    const nowMs = clock.monotonicMs();
    this.#isOver = true;
    metrics.attemptFailed(this.#upstream, this.#method, cause, (nowMs - this.#begunMs) / 1000);
    if (isUnreachable(cause)) this.#avoid(nowMs);
    else if (isUpstreamsFault(cause)) this.#countBroken(nowMs);
  }

  /** Nobody waits for it any more. Nothing, if it was over. */
  givenUp(why: 'client_left' | 'upstream_timeout'): void {
    if (this.#isOver) return;
    const { metrics, clock } = this.#books;
    const nowMs = clock.monotonicMs();
    this.#isOver = true;
    metrics.attemptFailed(this.#upstream, this.#method, why, (nowMs - this.#begunMs) / 1000);
    // One that waited for a connection in vain may have waited for others of ours.
    if (this.#isStarted && why === 'upstream_timeout') this.#countBroken(nowMs);
  }

  settled(): void {
    this.#books.cells.end(this.#upstream.slot);
    if (this.#pool.inFlight !== null) this.#books.onFreed(this.#pool);
  }

  #countBroken(nowMs: number): void {
    this.#tell(this.#books.cells.outcomes.recordBroken(this.#upstream.slot, this.#pool.outliers, nowMs));
  }

  /** Connections that cannot be made are no row of failures: the upstream is avoided from the first one on. */
  #avoid(nowMs: number): void {
    const isNews = this.#books.cells.admission.reportUnreachable(this.#upstream.slot, nowMs);
    this.#tell(isNews ? 'unreachable' : null);
  }

  #tell(kind: FailureKind | null): void {
    if (kind !== null) this.#books.onFailing(this.#upstream.slot, kind);
  }
}
