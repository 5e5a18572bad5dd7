import type { Attributes, HrTime, TraceState } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { formatEndpoint } from '#core/endpoint.ts';
import { newSpanId } from '#core/ids.ts';
import type { RecordedAttempt, RequestRecord } from '#core/request-record.ts';
import { openTelemetry } from '../packages.ts';
import { requestAttributes, requestError, setText } from '../request-attributes.ts';

const { createTraceState, SpanKind, SpanStatusCode } = openTelemetry('@opentelemetry/api');

/** Who makes the spans. */
export type SpanSource = {
  readonly resource: Resource;
  readonly scope: { readonly name: string; readonly version: string };
  /** Milliseconds since the Unix epoch, of a time on the monotonic clock. */
  readonly wallMs: (monotonicMs: number) => number;
};

/** Milliseconds on the monotonic clock. */
type Times = { readonly startMs: number; readonly endMs: number };

const SAMPLED = 1;
const OK = { code: SpanStatusCode.UNSET };
const ERROR = { code: SpanStatusCode.ERROR };

/**
 * The spans of a finished request, by the stable HTTP conventions of OpenTelemetry: one of kind SERVER, whose
 * events are the states of the request's machine, and below it one of kind CLIENT for each attempt.
 */
export function requestSpans(record: RequestRecord, source: SpanSource): ReadableSpan[] {
  const { traceId, parentSpanId, startMs } = record;
  const traceState = record.tracestate === null ? undefined : createTraceState(record.tracestate);
  const contextOf = (spanId: string) => contextIn(traceId, spanId, traceState);
  const server = contextOf(newSpanId());
  const attributes = requestAttributes(record);
  if (!record.isSampled) attributes['signalbox.kept'] = true;
  const times = { startMs, endMs: record.endMs ?? startMs };
  const spans: ReadableSpan[] = [
    {
      ...spanOf(source, times),
      name: serverName(record),
      kind: SpanKind.SERVER,
      spanContext: () => server,
      ...(parentSpanId === null ? {} : { parentSpanContext: { ...contextOf(parentSpanId), isRemote: true } }),
      status: requestError(record) === null ? OK : ERROR,
      attributes,
      events: stateEvents(record, source),
    },
  ];
  for (const [index, attempt] of record.attempts.entries()) {
    const client = contextOf(attempt.spanId);
    const { error, attributes } = clientAttributes(record, attempt, index);
    spans.push({
      ...spanOf(source, { startMs: attempt.startMs, endMs: endOf(record, index) }),
      name: nameOf(record.method),
      kind: SpanKind.CLIENT,
      spanContext: () => client,
      parentSpanContext: server,
      status: error === null ? OK : ERROR,
      attributes,
      events: [],
    });
  }
  return spans;
}

function contextIn(traceId: string, spanId: string, traceState: TraceState | undefined) {
  return { traceId, spanId, traceFlags: SAMPLED, ...(traceState === undefined ? {} : { traceState }) };
}

function spanOf({ resource, scope, wallMs }: SpanSource, { startMs, endMs }: Times) {
  return {
    resource,
    instrumentationScope: scope,
    startTime: hrTime(wallMs(startMs)),
    endTime: hrTime(wallMs(endMs)),
    duration: hrTime(endMs - startMs),
    ended: true,
    links: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Never the path, of which there are as many as clients like. */
function serverName({ method, route }: RequestRecord): string {
  return route === '' ? nameOf(method) : `${nameOf(method)} ${route}`;
}

function nameOf(method: string): string {
  return method === '_OTHER' || method === '' ? 'HTTP' : method;
}

function clientAttributes(record: RequestRecord, attempt: RecordedAttempt, index: number) {
  const { scheme, address, port, pool, upstream, status } = attempt;
  const error = attemptError(attempt);
  const attributes: Attributes = {
    'http.request.method': record.method || '_OTHER',
    'server.address': address,
    'server.port': port,
    'url.full': `${scheme}://${formatEndpoint({ address, port })}${record.target}`,
    'signalbox.pool': pool,
    'signalbox.upstream': upstream,
  };
  setText(attributes, 'error.type', error);
  if (status > 0) attributes['http.response.status_code'] = status;
  if (index > 0) attributes['http.request.resend_count'] = index;
  return { error, attributes };
}

function attemptError({ status, error }: RecordedAttempt): string | null {
  if (error !== null) return error === 'client_left' ? null : error;
  return status >= 400 ? String(status) : null;
}

/** An attempt lasts until its answer was passed on, if it was the one that was. */
function endOf({ attempts, startMs, endMs, outcome }: RequestRecord, index: number): number {
  const attempt = attempts[index];
  const isPassedOn = index === attempts.length - 1 && attempt?.error === null && outcome !== 'refused';
  return isPassedOn ? (endMs ?? startMs) : (attempt?.endMs ?? endMs ?? startMs);
}

function stateEvents(
  { states, endMs, startMs }: RequestRecord,
  { wallMs }: SpanSource,
): ReadableSpan['events'] {
  return states.map(({ path, enteredMs }, index) => {
    const leftMs = states[index + 1]?.enteredMs ?? endMs ?? startMs;
    const isLast = index === states.length - 1;
    // Seconds, as all durations of the conventions; the last state is the end.
    const attributes = isLast ? {} : { 'signalbox.state.duration': (leftMs - enteredMs) / 1000 };
    return { name: path, time: hrTime(wallMs(enteredMs)), attributes };
  });
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
