/**
 * What instances tell each other, as spans (OpenTelemetry's conventions for messaging): of kind PRODUCER where
 * something is said, CONSUMER where it is heard, in one trace. Where no traces are sent, nothing is made of it.
 */
import {
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { formatTraceparent, readTraceparent } from '#core/trace/traceparent.ts';
import { SCOPE } from '../scope.ts';

/** Of one span; who says more says it in an outage, where some tell as much as all. */
const WORDS_MAX = 16;

/** Returns what the message is to be sent with; null for nothing. `words` say what is said. */
export function spanOfSaying(destination: string, words: readonly string[]): string | null {
  const attributes = { ...about(destination, 'send'), 'signalbox.said': words.slice(0, WORDS_MAX) };
  const options = { kind: SpanKind.PRODUCER, root: true, attributes };
  const span = tracer().startSpan(`send ${destination}`, options);
  span.end();
  const { traceId, spanId } = span.spanContext();
  return isSpanContextValid(span.spanContext()) ? formatTraceparent(traceId, spanId, true) : null;
}

/** Runs what follows from a message that came with a `traceparent`, within its trace. */
export function withinSpanOfHearing(
  destination: string,
  from: string,
  traceparent: string | null,
  run: () => void,
): void {
  const parent = traceparent === null ? null : readTraceparent(traceparent);
  if (parent === null) {
    run();
    return;
  }
  const { traceId, spanId } = parent;
  const sender: SpanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  const around: Context = trace.setSpanContext(ROOT_CONTEXT, sender);
  const attributes = { ...about(destination, 'process'), 'signalbox.from': from };
  const options = { kind: SpanKind.CONSUMER, attributes, links: [{ context: sender }] };
  const span = tracer().startSpan(`process ${destination}`, options, around);
  try {
    context.with(trace.setSpan(around, span), run);
  } finally {
    span.end();
  }
}

/** Something that follows from what was heard, if it was just heard. */
export function noteInSpan(event: string, attributes: Readonly<Record<string, string>>): void {
  trace.getActiveSpan()?.addEvent(event, attributes);
}

function about(destination: string, operation: 'send' | 'process') {
  return {
    'messaging.system': 'nats',
    'messaging.destination.name': destination,
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
  };
}

function tracer() {
  return trace.getTracer(SCOPE.name, SCOPE.version);
}
