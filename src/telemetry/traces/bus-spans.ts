/**
 * What instances tell each other, as spans (OpenTelemetry's conventions for messaging): of kind PRODUCER where
 * something is said, CONSUMER where it is heard, in one trace. Where no traces are sent, nothing is made of it, and
 * none of OpenTelemetry's packages is loaded.
 */
import type { Span } from '@opentelemetry/api';
import { readTraceparent } from '#core/trace/traceparent.ts';
import type { BusTracer } from './bus-tracer.ts';

/** The process's only one, as it has one bus. */
let tracer: (() => BusTracer) | null = null;
/** Of what is heard at this moment: what follows from it, follows at once. */
let hearing: Span | null = null;

/** From now on spans are made by what `by` returns, and which it may have to load; by nobody if null. */
export function traceBus(by: (() => BusTracer) | null): void {
  tracer = by;
}

/** Returns what the message is to be sent with; null for nothing. `words` say what is said. */
export function spanOfSaying(destination: string, words: readonly string[]): string | null {
  return tracer?.().say(destination, words) ?? null;
}

/** Runs what follows from a message that came with a `traceparent`, within its trace. */
export function withinSpanOfHearing(
  destination: string,
  from: string,
  traceparent: string | null,
  run: () => void,
): void {
  const parent = tracer === null || traceparent === null ? null : readTraceparent(traceparent);
  if (tracer === null || parent === null) {
    run();
    return;
  }
  const span = tracer().hear(destination, from, parent);
  hearing = span;
  try {
    run();
  } finally {
    hearing = null;
    span.end();
  }
}

/** Something that follows from what was heard, if it was just heard. */
export function noteInSpan(event: string, attributes: Readonly<Record<string, string>>): void {
  hearing?.addEvent(event, attributes);
}
