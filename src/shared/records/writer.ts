import { methodNumber } from '#core/methods.ts';
import type { RefusalCause } from '#core/refusals.ts';
import {
  ATTEMPT_ERRORS,
  type AttemptError,
  AUTH_SCHEMES,
  CAUSES,
  LIMIT_OUTCOMES,
  type LimitOutcome,
  OUTCOMES,
  PROTOCOLS,
  type Protocol,
  type RecordedOutcome,
} from '#core/request-record.ts';
import type { Auth, Upstream } from '#core/table.ts';
import { type ClientTls, TLS_VERSIONS } from '#core/tls.ts';
import type { TraceContext } from '#core/trace/context.ts';
import {
  AT,
  ATTEMPT_BYTES,
  ATTEMPTS_MAX,
  FLAG,
  IN_ATTEMPT,
  NONE,
  QUEUE_LOST,
  QUEUE_PUT,
  QUEUE_RECORDS,
  QUEUE_TAKEN,
  SPAN_ID_BYTES,
  STATES_MAX,
  TEXT_HEAD_BYTES,
  TEXTS,
  TEXTS_BYTES,
  type TextName,
  TRACE_ID_BYTES,
  UNRECORDED,
  UPSTREAM_TEXT,
  UPSTREAM_TEXT_BYTES_MAX,
  USED,
} from './layout.ts';
import type { Region } from './region.ts';
import { Slots } from './slots.ts';
import { upstreamText } from './upstream-text.ts';

/** Stands for the record of a request that has none; what is written there is nowhere. */
export const NO_RECORD = -1;

/** What a request's head has to say. */
export type RecordedHead = {
  readonly method: string;
  readonly tls: ClientTls | null;
  readonly protocol: Protocol;
  readonly target: string;
  readonly host: string;
  readonly clientAddress: string;
  readonly peerAddress: string;
};

/**
 * Writes the records of one worker, the only one to do so. A request knows its record by number, and everything
 * is written where it stays, so nothing is allocated. While a request is under way its record only grows, and
 * what has grown is counted when it is there: a reader finds nothing half done.
 */
export class RecordWriter {
  readonly #region: Region;
  readonly #slots: Slots;
  readonly #upstreamTexts = new WeakMap<Upstream, string>();
  #edition: number;

  /** Goes on with the finished records of a predecessor; those that it had under way have to be closed. */
  constructor(region: Region, kept: number) {
    this.#region = region;
    const used = region.words[USED] as number;
    this.#slots = new Slots(region.slots, kept, used);
    const left = Array.from({ length: used }, (_, record) => record);
    const endOf = (record: number) => region.view.getFloat64(region.offsetOf(record) + AT.endMs);
    for (const record of left.toSorted((a, b) => endOf(a) - endOf(b))) this.#slots.finish(record);
    this.#edition = Math.max(0, ...left.map((record) => region.words[region.offsetOf(record) / 4] as number));
  }

  /** A record for a new request, in place of the oldest that is finished. */
  begin(startMs: number, trace: TraceContext): number {
    const { bytes, view, words } = this.#region;
    const record = this.#slots.take();
    if (record === undefined) {
      if (this.#region.slots > 0) words[UNRECORDED] = (words[UNRECORDED] as number) + 1;
      return NO_RECORD;
    }
    const at = this.#region.offsetOf(record);
    Atomics.store(words, at / 4, 0);
    for (let word = at / 4 + 1; word < (at + AT.traceId) / 4; word++) words[word] = 0;
    view.setUint8(at + AT.outcome, NONE);
    view.setUint8(at + AT.method, NONE);
    view.setUint8(at + AT.cause, NONE);
    view.setUint8(at + AT.auth, NONE);
    view.setInt32(at + AT.limitRemaining, -1);
    view.setFloat64(at + AT.startMs, startMs);
    bytes.write(trace.traceId, at + AT.traceId, TRACE_ID_BYTES, 'latin1');
    let flags = trace.isSampled ? FLAG.sampled : 0;
    if (trace.parentSpanId !== null) {
      flags |= FLAG.continued;
      bytes.write(trace.parentSpanId, at + AT.parentSpanId, SPAN_ID_BYTES, 'latin1');
    }
    view.setUint8(at + AT.flags, flags);
    if (trace.tracestate !== null) this.#text(at, 'tracestate', trace.tracestate);
    this.#edition = (this.#edition + 1) & 0x7fffffff || 1;
    Atomics.store(words, at / 4, this.#edition);
    if (words[USED] !== this.#slots.used) Atomics.store(words, USED, this.#slots.used);
    return record;
  }

  head(record: number, head: RecordedHead, userAgent: string, route: string): void {
    if (record === NO_RECORD) return;
    const { view } = this.#region;
    const at = this.#region.offsetOf(record);
    view.setUint8(at + AT.method, methodNumber(head.method));
    view.setUint8(at + AT.tls, head.tls === null ? 0 : TLS_VERSIONS.indexOf(head.tls.version) + 1);
    view.setUint8(at + AT.protocol, PROTOCOLS.indexOf(head.protocol));
    this.#text(at, 'target', head.target);
    this.#text(at, 'host', head.host);
    this.#text(at, 'clientAddress', head.clientAddress);
    if (head.peerAddress !== head.clientAddress) this.#text(at, 'peerAddress', head.peerAddress);
    this.#text(at, 'userAgent', userAgent);
    this.#text(at, 'route', route);
  }

  /** `state` is its number among those of the machine. */
  entered(record: number, state: number, nowMs: number): void {
    if (record === NO_RECORD) return;
    const { view } = this.#region;
    const at = this.#region.offsetOf(record);
    const count = view.getUint8(at + AT.states);
    if (count === STATES_MAX) return;
    view.setFloat32(at + AT.stateTimes + 4 * count, nowMs - view.getFloat64(at + AT.startMs));
    view.setUint8(at + AT.statePaths + count, state);
    // Not atomic, which six times a request costs more than the rest of this: where processors reorder writes, a
    // reader may for a moment see a state without the time at which it was entered.
    view.setUint8(at + AT.states, count + 1);
  }

  /** The head of the answer is about to be sent. */
  answering(record: number, nowMs: number): void {
    if (record === NO_RECORD) return;
    this.#region.view.setFloat64(this.#region.offsetOf(record) + AT.answerMs, nowMs);
  }

  identified(record: number, scheme: Auth['scheme'], identity: string): void {
    if (record === NO_RECORD) return;
    const at = this.#region.offsetOf(record);
    this.#text(at, 'identity', identity);
    this.#region.view.setUint8(at + AT.auth, AUTH_SCHEMES.indexOf(scheme));
  }

  limited(record: number, outcome: LimitOutcome, remaining: number): void {
    if (record === NO_RECORD) return;
    const at = this.#region.offsetOf(record);
    this.#region.view.setInt32(at + AT.limitRemaining, remaining);
    this.#region.view.setUint8(at + AT.limit, LIMIT_OUTCOMES.indexOf(outcome));
  }

  attemptBegun(record: number, upstream: Upstream, spanId: string, nowMs: number): void {
    if (record === NO_RECORD) return;
    const { bytes, view } = this.#region;
    const at = this.#region.offsetOf(record);
    const count = view.getUint8(at + AT.attempts);
    if (count === ATTEMPTS_MAX) return;
    const row = at + AT.attemptRows + count * ATTEMPT_BYTES;
    view.setFloat32(row + IN_ATTEMPT.startMs, nowMs - view.getFloat64(at + AT.startMs));
    view.setFloat32(row + IN_ATTEMPT.endMs, -1);
    view.setUint16(row + IN_ATTEMPT.status, 0);
    view.setUint8(row + IN_ATTEMPT.error, NONE);
    bytes.write(spanId, row + IN_ATTEMPT.spanId, SPAN_ID_BYTES, 'latin1');
    this.#textOf(at, UPSTREAM_TEXT + count, this.#upstreamText(upstream), UPSTREAM_TEXT_BYTES_MAX);
    Atomics.store(bytes, at + AT.attempts, count + 1);
  }

  /** Of the latest attempt; ignored if that is over. */
  attemptAnswered(record: number, status: number, nowMs: number): void {
    const row = this.#openAttempt(record);
    if (row < 0) return;
    this.#region.view.setUint16(row + IN_ATTEMPT.status, status);
    this.#endAttempt(record, row, nowMs);
  }

  /** Of the latest attempt; ignored if that is over. */
  attemptFailed(record: number, error: AttemptError, nowMs: number): void {
    const row = this.#openAttempt(record);
    if (row < 0) return;
    this.#region.view.setUint8(row + IN_ATTEMPT.error, ATTEMPT_ERRORS.indexOf(error));
    this.#endAttempt(record, row, nowMs);
  }

  refused(record: number, cause: RefusalCause): void {
    if (record === NO_RECORD) return;
    this.#region.view.setUint8(this.#region.offsetOf(record) + AT.cause, CAUSES.indexOf(cause));
  }

  isSampled(record: number): boolean {
    if (record === NO_RECORD) return false;
    return (this.#region.view.getUint8(this.#region.offsetOf(record) + AT.flags) & FLAG.sampled) !== 0;
  }

  /** Attempts begun so far. */
  attempts(record: number): number {
    return record === NO_RECORD ? 0 : this.#region.view.getUint8(this.#region.offsetOf(record) + AT.attempts);
  }

  /** How long the client waited for the head of its answer, or has waited by now. */
  waitedMs(record: number, nowMs: number): number {
    if (record === NO_RECORD) return 0;
    const { view } = this.#region;
    const at = this.#region.offsetOf(record);
    return (view.getFloat64(at + AT.answerMs) || nowMs) - view.getFloat64(at + AT.startMs);
  }

  received(record: number, bytes: number): void {
    if (record === NO_RECORD) return;
    this.#region.view.setFloat64(this.#region.offsetOf(record) + AT.requestBytes, bytes);
  }

  sent(record: number, bytes: number): void {
    if (record === NO_RECORD) return;
    const at = this.#region.offsetOf(record) + AT.responseBytes;
    this.#region.view.setFloat64(at, this.#region.view.getFloat64(at) + bytes);
  }

  /** The last of a record; its number may be given to another request from here on. */
  end(record: number, outcome: RecordedOutcome, status: number, nowMs: number): void {
    if (record === NO_RECORD) return;
    const { bytes, view } = this.#region;
    const at = this.#region.offsetOf(record);
    view.setUint16(at + AT.status, status);
    view.setFloat64(at + AT.endMs, nowMs);
    Atomics.store(bytes, at + AT.outcome, OUTCOMES.indexOf(outcome));
    this.#slots.finish(record);
  }

  /** Hands a copy of the record to the control plane, which counts it as lost if it does not keep up. */
  queue(record: number, isTraced: boolean): void {
    if (record === NO_RECORD) return;
    const { bytes, view, words, slots } = this.#region;
    const at = this.#region.offsetOf(record);
    if (isTraced) view.setUint8(at + AT.flags, view.getUint8(at + AT.flags) | FLAG.traced);
    const put = words[QUEUE_PUT] as number;
    if (((put - Atomics.load(words, QUEUE_TAKEN)) | 0) === QUEUE_RECORDS) {
      words[QUEUE_LOST] = (words[QUEUE_LOST] as number) + 1;
      return;
    }
    const to = this.#region.offsetOf(slots + (put & (QUEUE_RECORDS - 1)));
    bytes.copyWithin(to, at, at + AT.texts + view.getUint16(at + AT.textBytes));
    Atomics.store(words, QUEUE_PUT, put + 1);
  }

  /** Where the latest attempt's row begins, or -1 if there is none under way. */
  #openAttempt(record: number): number {
    const count = this.attempts(record);
    if (count === 0) return -1;
    const row = this.#region.offsetOf(record) + AT.attemptRows + (count - 1) * ATTEMPT_BYTES;
    return this.#region.view.getFloat32(row + IN_ATTEMPT.endMs) < 0 ? row : -1;
  }

  #endAttempt(record: number, row: number, nowMs: number): void {
    const { view } = this.#region;
    const startMs = view.getFloat64(this.#region.offsetOf(record) + AT.startMs);
    view.setFloat32(row + IN_ATTEMPT.endMs, nowMs - startMs);
  }

  #upstreamText(upstream: Upstream): string {
    let text = this.#upstreamTexts.get(upstream);
    if (text === undefined) {
      text = upstreamText(upstream);
      this.#upstreamTexts.set(upstream, text);
    }
    return text;
  }

  #text(at: number, name: TextName, text: string): void {
    const { code, bytesMax } = TEXTS[name];
    this.#textOf(at, code, text, bytesMax);
  }

  /** A text for which there is no room any more is left out. */
  #textOf(at: number, code: number, text: string, bytesMax: number): void {
    const { bytes, view } = this.#region;
    const used = view.getUint16(at + AT.textBytes);
    const length = Math.min(text.length, bytesMax);
    const end = used + TEXT_HEAD_BYTES + length;
    if (length === 0 || end > TEXTS_BYTES) return;
    const head = at + AT.texts + used;
    view.setUint8(head, code);
    view.setUint16(head + 1, length);
    bytes.write(text, head + TEXT_HEAD_BYTES, length, 'latin1');
    view.setUint16(at + AT.textBytes, end);
  }
}
