import type { Span, SpanContext, Tracer } from '@opentelemetry/api';
import { formatTraceparent, type Traceparent } from '#core/trace/traceparent.ts';
import { openTelemetry } from '../packages.ts';

const { isSpanContextValid, ROOT_CONTEXT, SpanKind, TraceFlags, trace } = openTelemetry('@opentelemetry/api');

/** Of one span; who says more says it in an outage, where some tell as much as all. */
const WORDS_MAX = 16;

/** Makes spans of what instances tell each other, after OpenTelemetry's conventions for messaging. */
export class BusTracer {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** Returns the `traceparent` of a span that has begun and ended; null if it is none. */
  say(destination: string, words: readonly string[]): string | null {
    const attributes = { ...about(destination, 'send'), 'signalbox.said': words.slice(0, WORDS_MAX) };
    const options = { kind: SpanKind.PRODUCER, root: true, attributes };
    const span = this.#tracer.startSpan(`send ${destination}`, options);
    span.end();
    const { traceId, spanId } = span.spanContext();
    return isSpanContextValid(span.spanContext()) ? formatTraceparent(traceId, spanId, true) : null;
  }

  /** Begins a span in the trace of who said it; the caller ends it. */
  hear(destination: string, from: string, { traceId, spanId }: Traceparent): Span {
    const sender: SpanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
    const around = trace.setSpanContext(ROOT_CONTEXT, sender);
    const attributes = { ...about(destination, 'process'), 'signalbox.from': from };
    const options = { kind: SpanKind.CONSUMER, attributes, links: [{ context: sender }] };
    return this.#tracer.startSpan(`process ${destination}`, options, around);
  }
}

function about(destination: string, operation: 'send' | 'process') {
  return {
    'messaging.system': 'nats',
    'messaging.destination.name': destination,
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
  };
}
