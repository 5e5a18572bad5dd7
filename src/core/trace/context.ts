/** Where a request stands in a trace (W3C Trace Context, level 1). */
import { newTraceId, readIdWords } from '../ids.ts';
import { isSampled, type Sampler } from './sampler.ts';
import { readTraceparent, readTracestate } from './traceparent.ts';

export type TraceContext = {
  /** 32 lower-case hex digits; also the request's id. */
  readonly traceId: string;
  /** The sender's span, 16 lower-case hex digits; null where the trace begins here. */
  readonly parentSpanId: string | null;
  /** What other tracing systems have to say, as received; null for nothing. */
  readonly tracestate: string | null;
  /** Whether the trace is recorded, by those after us too. */
  readonly isSampled: boolean;
};

/**
 * Goes on with the trace of `traceparent`, or begins a new one where that is null or malformed. Without a
 * `sampler` nothing is recorded here, and the sender's decision is passed on. The bytes of its id go to `words`.
 */
export function traceContext(
  traceparent: string | null,
  tracestate: string | null,
  sampler: Sampler | null,
  words: Int32Array,
): TraceContext {
  const parent = traceparent === null ? null : readTraceparent(traceparent);
  if (parent === null) {
    const traceId = newTraceId(words);
    const sampled = sampler !== null && isSampled(sampler, traceId, null);
    return { traceId, parentSpanId: null, tracestate: null, isSampled: sampled };
  }
  readIdWords(parent.traceId, words);
  return {
    traceId: parent.traceId,
    parentSpanId: parent.spanId,
    tracestate: tracestate === null ? null : readTracestate(tracestate),
    isSampled: sampler === null ? parent.isSampled : isSampled(sampler, parent.traceId, parent.isSampled),
  };
}
