import { readIdWords, SPAN_ID_WORDS, TRACE_ID_WORDS } from '#core/ids.ts';
import type { RequestRecord } from '#core/request-record.ts';
import type { TraceContext } from '#core/trace/context.ts';
import type { RecordWriter } from '#shared/records/writer.ts';

export const SAMPLE_TRACE: TraceContext = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  parentSpanId: null,
  tracestate: null,
  isSampled: true,
};

export function spanIdWords(id = 'b7ad6b7169203331'): Int32Array {
  return wordsOf(id, SPAN_ID_WORDS);
}

function wordsOf(id: string, count: number): Int32Array {
  const words = new Int32Array(count);
  readIdWords(id, words);
  return words;
}

/** The record of a request that begins. */
export function beginSample(
  writer: RecordWriter,
  startMs: number,
  changes: Partial<TraceContext> = {},
): number {
  const trace = { ...SAMPLE_TRACE, ...changes };
  return writer.begin(startMs, trace, wordsOf(trace.traceId, TRACE_ID_WORDS));
}

/** A request that was answered by the only upstream it was sent to, with whatever a test wants different. */
export function sampleRecord(changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    traceId: SAMPLE_TRACE.traceId,
    parentSpanId: null,
    tracestate: null,
    isSampled: true,
    isTraced: true,
    worker: 0,
    startMs: 1000,
    answerMs: 1008,
    endMs: 1010,
    method: 'GET',
    scheme: 'http',
    protocol: '1.1',
    tlsVersion: null,
    target: '/things/1?page=2',
    host: 'example.com:8080',
    clientAddress: '203.0.113.7',
    peerAddress: '10.0.0.1',
    userAgent: 'curl/8',
    route: 'default',
    auth: 'bearer',
    identity: 'token:1',
    limit: 'passed',
    limitRemaining: 9,
    states: [
      { path: 'seeking.authenticating', enteredMs: 1000 },
      { path: 'seeking.limiting', enteredMs: 1001 },
      { path: 'seeking.selecting', enteredMs: 1002 },
      { path: 'seeking.forwarding', enteredMs: 1003 },
      { path: 'responding', enteredMs: 1008 },
      { path: 'responded', enteredMs: 1010 },
    ],
    attempts: [
      {
        pool: 'default',
        upstream: 'red',
        scheme: 'http',
        address: '127.0.0.1',
        port: 3000,
        spanId: 'b7ad6b7169203331',
        startMs: 1003,
        endMs: 1008,
        status: 200,
        error: null,
      },
    ],
    outcome: 'responded',
    status: 200,
    cause: null,
    requestBytes: 0,
    responseBytes: 5,
    ...changes,
  };
}
