import { METHODS } from '#core/methods.ts';
import { redactQuery } from '#core/redact-query.ts';
import {
  ATTEMPT_ERRORS,
  AUTH_SCHEMES,
  CAUSES,
  LIMIT_OUTCOMES,
  OUTCOMES,
  PROTOCOLS,
  type RecordedAttempt,
  type RecordedState,
  type RequestRecord,
} from '#core/request-record.ts';
import { TLS_VERSIONS } from '#core/tls.ts';
import {
  AT,
  ATTEMPT_BYTES,
  FLAG,
  IN_ATTEMPT,
  NONE,
  SPAN_ID_BYTES,
  TEXT_HEAD_BYTES,
  TEXTS,
  type TextName,
  TRACE_ID_BYTES,
  UPSTREAM_TEXT,
} from './layout.ts';
import { readUpstreamText } from './upstream-text.ts';

/** What the bytes of a record say. `states` are the paths of the machine's states, by number. */
export function decodeRecord(bytes: Buffer, worker: number, states: readonly string[]): RequestRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const startMs = view.getFloat64(AT.startMs);
  const flags = view.getUint8(AT.flags);
  const remaining = view.getInt32(AT.limitRemaining);
  const texts = readTexts(bytes, view);
  const text = (name: TextName) => texts.get(TEXTS[name].code) ?? '';
  const method = view.getUint8(AT.method);
  return {
    traceId: bytes.toString('latin1', AT.traceId, AT.traceId + TRACE_ID_BYTES),
    parentSpanId:
      (flags & FLAG.continued) === 0
        ? null
        : bytes.toString('latin1', AT.parentSpanId, AT.parentSpanId + SPAN_ID_BYTES),
    tracestate: text('tracestate') || null,
    isSampled: (flags & FLAG.sampled) !== 0,
    isTraced: (flags & FLAG.traced) !== 0,
    worker,
    startMs,
    answerMs: view.getFloat64(AT.answerMs) || null,
    endMs: view.getFloat64(AT.endMs) || null,
    method: method === NONE ? '' : (METHODS[method] ?? '_OTHER'),
    scheme: view.getUint8(AT.tls) === 0 ? 'http' : 'https',
    tlsVersion: TLS_VERSIONS[view.getUint8(AT.tls) - 1] ?? null,
    protocol: PROTOCOLS[view.getUint8(AT.protocol)] ?? '1.1',
    target: redactQuery(text('target')),
    host: text('host'),
    clientAddress: text('clientAddress'),
    peerAddress: text('peerAddress') || text('clientAddress'),
    userAgent: text('userAgent'),
    route: text('route'),
    auth: AUTH_SCHEMES[view.getUint8(AT.auth)] ?? null,
    identity: text('identity') || null,
    limit: LIMIT_OUTCOMES[view.getUint8(AT.limit)] ?? 'none',
    limitRemaining: remaining < 0 ? null : remaining,
    states: readStates(view, startMs, states),
    attempts: readAttempts(bytes, view, startMs, texts),
    outcome: OUTCOMES[view.getUint8(AT.outcome)] ?? null,
    status: view.getUint16(AT.status),
    cause: CAUSES[view.getUint8(AT.cause)] ?? null,
    requestBytes: view.getFloat64(AT.requestBytes),
    responseBytes: view.getFloat64(AT.responseBytes),
  };
}

function readStates(view: DataView, startMs: number, paths: readonly string[]): RecordedState[] {
  return Array.from({ length: view.getUint8(AT.states) }, (_, index) => ({
    path: paths[view.getUint8(AT.statePaths + index)] ?? '',
    enteredMs: startMs + view.getFloat32(AT.stateTimes + 4 * index),
  }));
}

function readAttempts(
  bytes: Buffer,
  view: DataView,
  startMs: number,
  texts: ReadonlyMap<number, string>,
): RecordedAttempt[] {
  return Array.from({ length: view.getUint8(AT.attempts) }, (_, index) => {
    const row = AT.attemptRows + index * ATTEMPT_BYTES;
    const endMs = view.getFloat32(row + IN_ATTEMPT.endMs);
    return {
      ...readUpstreamText(texts.get(UPSTREAM_TEXT + index) ?? ''),
      spanId: bytes.toString('latin1', row + IN_ATTEMPT.spanId, row + IN_ATTEMPT.spanId + SPAN_ID_BYTES),
      startMs: startMs + view.getFloat32(row + IN_ATTEMPT.startMs),
      endMs: endMs < 0 ? null : startMs + endMs,
      status: view.getUint16(row + IN_ATTEMPT.status),
      error: ATTEMPT_ERRORS[view.getUint8(row + IN_ATTEMPT.error)] ?? null,
    };
  });
}

function readTexts(bytes: Buffer, view: DataView): Map<number, string> {
  const texts = new Map<number, string>();
  const end = AT.texts + view.getUint16(AT.textBytes);
  for (let head = AT.texts; head < end; ) {
    const from = head + TEXT_HEAD_BYTES;
    const to = from + view.getUint16(head + 1);
    texts.set(view.getUint8(head), bytes.toString('latin1', from, to));
    head = to;
  }
  return texts;
}
