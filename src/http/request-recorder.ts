import type { Exchange, RequestHead } from '#actors/request/exchange.ts';
import type { Began, ObserveTransition, Outcome } from '#actors/request/run.ts';
import { stateNumber } from '#actors/request/states.ts';
import type { RequestEvent } from '#actors/request/steps.ts';
import type { Clock } from '#core/clock.ts';
import { fieldName } from '#core/field-names.ts';
import { newSpanId, readIdWords, SPAN_ID_WORDS, TRACE_ID_WORDS } from '#core/ids.ts';
import type { Decision } from '#core/limits/decision.ts';
import type { RefusalCause } from '#core/refusals.ts';
import type { AttemptError } from '#core/request-record.ts';
import type { TelemetrySettings } from '#core/settings.ts';
import type { Auth, Upstream } from '#core/table.ts';
import { type TraceContext, traceContext } from '#core/trace/context.ts';
import { NO_RECORD, type RecordWriter } from '#shared/records/writer.ts';
import type { RouteLabel } from './request-metrics.ts';

/** Requests that a worker has traced in any one second for what became of them, not by the sampler. */
export const KEPT_PER_SECOND_MAX = 50;

const TRACEPARENT = fieldName('traceparent');
const TRACESTATE = fieldName('tracestate');
const USER_AGENT = fieldName('user-agent');

const RESPONDING = stateNumber('responding');
const REFUSING = stateNumber('refusing');

type Begun = {
  /** The trace that it belongs to: its sender's, if that is believed, or a new one. */
  readonly trace: TraceContext;
  /** The number of its record, which everything else is written to. */
  readonly record: number;
};

/** The one observer of requests: writes down what each of them does, and decides which are traced. */
export class RequestRecorder {
  // Set once, for V8 to know them: see docs/decisions/046-own-constants.md.
  declare private readonly writer: RecordWriter;
  declare private readonly settings: TelemetrySettings;
  declare private readonly logsAll: boolean;
  declare private readonly clock: Clock;
  /** In words, on their way into the record. */
  readonly #traceId = new Int32Array(TRACE_ID_WORDS);
  readonly #spanId = new Int32Array(SPAN_ID_WORDS);
  #second = 0;
  #keptInSecond = 0;

  /** `logsAll`: the control plane wants to have every record, traced or not. */
  constructor(writer: RecordWriter, settings: TelemetrySettings, logsAll: boolean, clock: Clock) {
    this.writer = writer;
    this.settings = settings;
    this.logsAll = logsAll;
    this.clock = clock;
  }

  /** What a request is known by from now on. */
  begin(head: RequestHead | null, route: RouteLabel, receivedMs: number): Begun {
    const trace = this.#traceOf(head);
    const record = this.writer.begin(receivedMs, trace, this.#traceId);
    if (head !== null && record !== NO_RECORD)
      this.writer.head(record, head, head.headers.value(USER_AGENT) ?? '', route.name);
    return { trace, record };
  }

  readonly observe: ObserveTransition = ({ record, route }, state, event) => {
    if (record === NO_RECORD) return;
    const writer = this.writer;
    const nowMs = this.clock.monotonicMs();
    // Events are of many shapes, which are slow to ask for their type: only where something may follow from it.
    if (writer.hasOpenAttempt(record)) {
      if (event.type === 'attempt.queued' || event.type === 'attempt.started') return;
      this.#endAttempt(record, event, nowMs);
    } else if (route.auth !== null && !writer.isIdentified(record)) this.#identify(record, route.auth, event);
    if (state === RESPONDING || state === REFUSING) writer.answering(record, nowMs);
    writer.entered(record, state, nowMs);
  };

  /** Returns the id of the attempt's span, for the upstream to be told. */
  attemptBegun({ record, trace }: Exchange, upstream: Upstream): string {
    // Where nothing is recorded, the upstream's span follows directly on the sender's.
    const passedOn = this.settings.sampler === null ? trace.parentSpanId : null;
    if (passedOn !== null) readIdWords(passedOn, this.#spanId);
    const spanId = passedOn ?? newSpanId(this.#spanId);
    this.writer.attemptBegun(record, upstream, this.#spanId, this.clock.monotonicMs());
    return spanId;
  }

  limited({ record }: Exchange, { allowed, remaining }: Decision): void {
    this.writer.limited(record, allowed ? 'passed' : 'limited', remaining);
  }

  /** Some of the answer's body is on its way to the client. */
  sent(record: number, bytes: number): void {
    this.writer.sent(record, bytes);
  }

  refused(record: number, cause: RefusalCause): void {
    this.writer.refused(record, cause);
  }

  /** Once, when the request has come to its end. `status` is 0 when none was sent. */
  ended(record: number, outcome: Outcome, status: number, requestBytes: number): void {
    if (record === NO_RECORD) return;
    const nowMs = this.clock.monotonicMs();
    const isTraced = this.settings.sampler !== null && this.#isTraced(record, outcome, status, nowMs);
    this.writer.received(record, requestBytes);
    this.writer.end(record, outcome, status, nowMs);
    if (isTraced || this.logsAll) this.writer.queue(record, isTraced);
  }

  #traceOf(head: RequestHead | null): TraceContext {
    const { sampler, trustIncoming } = this.settings;
    const isTrusted =
      head !== null &&
      (trustIncoming === 'always' || (trustIncoming === 'trusted_proxies' && head.peerTrusted));
    if (!isTrusted) return traceContext(null, null, sampler, this.#traceId);
    const { headers } = head;
    const traceparent = headers.list(TRACEPARENT);
    return traceContext(traceparent, headers.list(TRACESTATE), sampler, this.#traceId);
  }

  #identify(record: number, auth: Auth, event: RequestEvent | Began): void {
    if (event.type === 'identity.proven' && event.identity !== null)
      this.writer.identified(record, auth.scheme, event.identity.key);
  }

  #endAttempt(record: number, event: RequestEvent | Began, nowMs: number): void {
    if (event.type === 'attempt.answered') this.writer.attemptAnswered(record, event.status, nowMs);
    else this.writer.attemptFailed(record, attemptError(event), nowMs);
  }

  #isTraced(record: number, outcome: Outcome, status: number, nowMs: number): boolean {
    const isTelling =
      status >= 500 ||
      outcome === 'truncated' ||
      outcome === 'crashed' ||
      this.writer.attempts(record) > 1 ||
      this.writer.waitedMs(record, nowMs) >= this.settings.slowMs;
    return this.writer.isSampled(record) || (isTelling && this.#mayKeep(nowMs));
  }

  /** Among failures by the thousand, some tell as much as all. */
  #mayKeep(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#keptInSecond = 0;
    }
    return this.#keptInSecond++ < KEPT_PER_SECOND_MAX;
  }
}

function attemptError(event: RequestEvent | Began): AttemptError {
  if (event.type === 'attempt.failed') return event.failure.cause;
  // Nothing but a deadline is left that could end an attempt under way.
  return event.type === 'client.left' ? 'client_left' : 'upstream_timeout';
}
