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
import type { Stretch } from './region.ts';
import { codeIn, lengthIn, wholeWords } from './text-words.ts';
import { readUpstreamText } from './upstream-text.ts';

/** What a record says. `states` are the paths of the machine's states, by number. */
export function decodeRecord(record: Stretch, worker: number, states: readonly string[]): RequestRecord {
  const { bytes, halves, words, doubles } = record;
  const startMs = doubles[AT.startMs >> 3] as number;
  const flags = bytes[AT.flags] as number;
  const remaining = words[AT.limitRemaining >> 2] as number;
  const texts = readTexts(record);
  const text = (name: TextName) => texts.get(TEXTS[name].code) ?? '';
  const method = bytes[AT.method] as number;
  return {
    traceId: bytes.toString('hex', AT.traceId, AT.traceId + TRACE_ID_BYTES),
    parentSpanId:
      (flags & FLAG.continued) === 0
        ? null
        : bytes.toString('hex', AT.parentSpanId, AT.parentSpanId + SPAN_ID_BYTES),
    tracestate: text('tracestate') || null,
    isSampled: (flags & FLAG.sampled) !== 0,
    isTraced: (flags & FLAG.traced) !== 0,
    worker,
    startMs,
    answerMs: (doubles[AT.answerMs >> 3] as number) || null,
    endMs: (doubles[AT.endMs >> 3] as number) || null,
    method: method === NONE ? '' : (METHODS[method] ?? '_OTHER'),
    scheme: (bytes[AT.tls] as number) === 0 ? 'http' : 'https',
    tlsVersion: TLS_VERSIONS[(bytes[AT.tls] as number) - 1] ?? null,
    protocol: PROTOCOLS[bytes[AT.protocol] as number] ?? '1.1',
    target: redactQuery(text('target')),
    host: text('host'),
    clientAddress: text('clientAddress'),
    peerAddress: text('peerAddress') || text('clientAddress'),
    userAgent: text('userAgent'),
    route: text('route'),
    auth: AUTH_SCHEMES[bytes[AT.auth] as number] ?? null,
    identity: text('identity') || null,
    limit: LIMIT_OUTCOMES[bytes[AT.limit] as number] ?? 'none',
    limitRemaining: remaining < 0 ? null : remaining,
    states: readStates(record, startMs, states),
    attempts: readAttempts(record, startMs, texts),
    outcome: OUTCOMES[bytes[AT.outcome] as number] ?? null,
    status: halves[AT.status >> 1] as number,
    cause: CAUSES[bytes[AT.cause] as number] ?? null,
    requestBytes: doubles[AT.requestBytes >> 3] as number,
    responseBytes: doubles[AT.responseBytes >> 3] as number,
  };
}

function readStates({ bytes, floats }: Stretch, startMs: number, paths: readonly string[]): RecordedState[] {
  const states: RecordedState[] = [];
  for (let nth = 0; nth < (bytes[AT.states] as number); nth++) {
    states.push({
      path: paths[bytes[AT.statePaths + nth] as number] ?? '',
      enteredMs: startMs + (floats[(AT.stateTimes + 4 * nth) >> 2] as number),
    });
  }
  return states;
}

function readAttempts(
  { bytes, halves, floats }: Stretch,
  startMs: number,
  texts: ReadonlyMap<number, string>,
): RecordedAttempt[] {
  const attempts: RecordedAttempt[] = [];
  for (let nth = 0; nth < (bytes[AT.attempts] as number); nth++) {
    const row = AT.attemptRows + nth * ATTEMPT_BYTES;
    const endMs = floats[(row + IN_ATTEMPT.endMs) >> 2] as number;
    attempts.push({
      ...readUpstreamText(texts.get(UPSTREAM_TEXT + nth) ?? ''),
      spanId: bytes.toString('hex', row + IN_ATTEMPT.spanId, row + IN_ATTEMPT.spanId + SPAN_ID_BYTES),
      startMs: startMs + (floats[(row + IN_ATTEMPT.startMs) >> 2] as number),
      endMs: endMs < 0 ? null : startMs + endMs,
      status: halves[(row + IN_ATTEMPT.status) >> 1] as number,
      error: ATTEMPT_ERRORS[bytes[row + IN_ATTEMPT.error] as number] ?? null,
    });
  }
  return attempts;
}

function readTexts({ bytes, halves, words }: Stretch): Map<number, string> {
  const texts = new Map<number, string>();
  const end = AT.texts + (halves[AT.textBytes >> 1] as number);
  for (let at: number = AT.texts; at < end; ) {
    const head = words[at >> 2] as number;
    const from = at + TEXT_HEAD_BYTES;
    const to = from + lengthIn(head);
    texts.set(codeIn(head), bytes.toString('latin1', from, to));
    at = wholeWords(to);
  }
  return texts;
}
