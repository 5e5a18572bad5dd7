import type { RequestHead } from '#actors/request/exchange.ts';
import { methodLabel, methodNumber } from '#core/methods.ts';
import type { RefusalCause } from '#core/refusals.ts';
import { ATTEMPT_ERRORS, type AttemptError } from '#core/request-record.ts';
import type { Upstream } from '#core/table.ts';
import type { WorkerSeries } from '#shared/metric-cells.ts';
import { RowFinder } from '#shared/row-finder.ts';
import type { Label, SeriesRows } from '#shared/series-rows.ts';
import type { ShedReason } from './overload.ts';
import type { HandshakeFailure } from './tls/handshakes.ts';

/** How a request's wait for an upstream ended: it went on, it took too long, or nobody waited any more. */
export type WaitResult = 'passed' | 'timed_out' | 'given_up';

type Scheme = RequestHead['scheme'];

/** A route, or what stands for one: its name is the value of `http.route`. */
export type RouteLabel = { readonly name: string };

/** No route matched, or the request was refused before routes were looked at. */
export const NO_ROUTE: RouteLabel = { name: '' };

/** A status has three digits; outcomes from here on are errors. */
const STATUS_END = 1000;
const OUTCOMES = STATUS_END + ATTEMPT_ERRORS.length;

/**
 * What a worker counts of its requests. All four calls for a request with one attempt take 60 ns together,
 * measured with 20 routes and 20 upstreams on one core; finding each row by its text would make it 400.
 */
export class RequestMetrics {
  readonly #requestDuration: RowFinder;
  readonly #attemptDuration: RowFinder;
  readonly #attempts: RowFinder;
  readonly #retries: RowFinder;
  readonly #limitDecisions: RowFinder;
  readonly #connections: SeriesRows;
  readonly #openConnections: SeriesRows;
  readonly #queueLength: SeriesRows;
  readonly #queueDuration: SeriesRows;
  readonly #refusals: SeriesRows;
  readonly #shed: SeriesRows;
  readonly #handshakeFailures: SeriesRows;
  readonly #activeRequests: SeriesRows;
  /** By method and scheme. */
  readonly #activeRows: number[] = [];

  constructor(series: WorkerSeries) {
    this.#requestDuration = new RowFinder(series.requestDuration);
    this.#attemptDuration = new RowFinder(series.attemptDuration);
    this.#attempts = new RowFinder(series.attempts);
    this.#retries = new RowFinder(series.retries);
    this.#limitDecisions = new RowFinder(series.limitDecisions);
    this.#connections = series.connections;
    this.#openConnections = series.openConnections;
    this.#queueLength = series.queueLength;
    this.#queueDuration = series.queueDuration;
    this.#refusals = series.refusals;
    this.#shed = series.shed;
    this.#handshakeFailures = series.handshakeFailures;
    this.#activeRequests = series.activeRequests;
  }

  /** Pair it with `requestEnded`, whatever happens. */
  requestBegun(method: string, scheme: Scheme): void {
    this.#countActive(method, scheme, 1);
  }

  /** `status` is 0 when none was sent. */
  requestEnded(route: RouteLabel, method: string, scheme: Scheme, status: number, seconds: number): void {
    this.#countActive(method, scheme, -1);
    const code = requestCode(method, scheme) * STATUS_END + status;
    const finder = this.#requestDuration;
    const row =
      finder.find(route, code) ??
      finder.learn(route, code, [methodLabel(method), route.name, status === 0 ? '' : status, scheme]);
    finder.rows.observe(row, seconds);
  }

  attemptBegun(upstream: Upstream): void {
    const finder = this.#attempts;
    const row =
      finder.find(upstream, 0, upstream.slot) ?? finder.learn(upstream, 0, [upstream.pool, upstream.name]);
    finder.rows.add(row, 1);
  }

  /** The attempt that comes next is not the request's first; `before` is what the one before ended with. */
  retried(upstream: Upstream, before: AttemptError | number): void {
    const code = typeof before === 'number' ? before : STATUS_END + ATTEMPT_ERRORS.indexOf(before);
    const finder = this.#retries;
    const row =
      finder.find(upstream, code, upstream.slot) ??
      finder.learn(upstream, code, [upstream.pool, upstream.name, before]);
    finder.rows.add(row, 1);
  }

  connectionOpened(upstream: Upstream): void {
    this.#countConnection(upstream, 'opened');
    this.#countOpen(upstream, 1);
  }

  connectionFailed(upstream: Upstream): void {
    this.#countConnection(upstream, 'failed');
  }

  /** Of one that was opened. */
  connectionClosed(upstream: Upstream): void {
    this.#countOpen(upstream, -1);
  }

  /** A request waits for one of the pool's upstreams. Pair it with `unqueued`. */
  queued(pool: string): void {
    this.#queueLength.add(this.#queueLength.row([pool]), 1);
  }

  unqueued(pool: string, result: WaitResult, seconds: number): void {
    this.#queueLength.add(this.#queueLength.row([pool]), -1);
    this.#queueDuration.observe(this.#queueDuration.row([pool, result]), seconds);
  }

  limited(limit: { readonly name: string }, isAllowed: boolean): void {
    const finder = this.#limitDecisions;
    const code = isAllowed ? 1 : 0;
    const row =
      finder.find(limit, code) ?? finder.learn(limit, code, [limit.name, isAllowed ? 'passed' : 'limited']);
    finder.rows.add(row, 1);
  }

  /** `seconds` from the attempt's start to the head of its answer. */
  attemptAnswered(upstream: Upstream, method: string, status: number, seconds: number): void {
    this.#observeAttempt(upstream, method, status, seconds);
  }

  /** `seconds` from the attempt's start to its failure. */
  attemptFailed(upstream: Upstream, method: string, error: AttemptError, seconds: number): void {
    this.#observeAttempt(upstream, method, STATUS_END + ATTEMPT_ERRORS.indexOf(error), seconds);
  }

  /** Turned away before anything was done for it; beside `refused`. */
  shed(reason: ShedReason): void {
    this.#shed.add(this.#shed.row([reason]), 1);
  }

  refused(cause: RefusalCause): void {
    this.#refusals.add(this.#refusals.row([cause]), 1);
  }

  handshakeFailed(cause: HandshakeFailure): void {
    this.#handshakeFailures.add(this.#handshakeFailures.row([cause]), 1);
  }

  #countConnection({ address, port }: Upstream, result: 'opened' | 'failed'): void {
    this.#connections.add(this.#connections.row([address, port, result]), 1);
  }

  #countOpen({ address, port }: Upstream, change: 1 | -1): void {
    this.#openConnections.add(this.#openConnections.row([address, port]), change);
  }

  #countActive(method: string, scheme: Scheme, change: 1 | -1): void {
    const code = requestCode(method, scheme);
    this.#activeRows[code] ??= this.#activeRequests.row([methodLabel(method), scheme]);
    this.#activeRequests.add(this.#activeRows[code], change);
  }

  #observeAttempt(upstream: Upstream, method: string, outcome: number, seconds: number): void {
    const code = methodNumber(method) * OUTCOMES + outcome;
    const finder = this.#attemptDuration;
    const row =
      finder.find(upstream, code, upstream.slot) ??
      finder.learn(upstream, code, attemptLabels(upstream, method, outcome));
    finder.rows.observe(row, seconds);
  }
}

function attemptLabels({ address, port, pool, name }: Upstream, method: string, outcome: number): Label[] {
  const status = outcome < STATUS_END ? outcome : '';
  const error = ATTEMPT_ERRORS[outcome - STATUS_END] ?? '';
  return [methodLabel(method), address, port, pool, name, status, error];
}

function requestCode(method: string, scheme: Scheme): number {
  return methodNumber(method) * 2 + (scheme === 'https' ? 1 : 0);
}
