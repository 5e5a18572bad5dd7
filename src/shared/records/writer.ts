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
import { WeakLookup } from '#core/weak-lookup.ts';
import { storeInOrder } from '../ordered-store.ts';
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
  type TextKind,
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

/** Of upstreams. */
const TEXTS_AT_HAND = 64;

/** A longer text is written faster by a call than by its characters; measured, at 400 to 30 instructions. */
const LOOP_LENGTH_MAX = 16;

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
 * what has grown is counted when it is there: a reader finds nothing half done. Only where processors reorder stores
 * may one see, for a moment, the number of a state or an attempt before the rest of it.
 */
export class RecordWriter {
  readonly #region: Region;
  readonly #slots: Slots;
  readonly #upstreamTexts = new WeakLookup<Upstream, string>(TEXTS_AT_HAND);
  #edition: number;

  /** Goes on with the finished records of a predecessor; those that it had under way have to be closed. */
  constructor(region: Region, kept: number) {
    this.#region = region;
    const used = region.words[USED] as number;
    this.#slots = new Slots(region.slots, kept, used);
    const left = Array.from({ length: used }, (_, record) => record);
    const endOf = (record: number) => region.doubles[(region.offsetOf(record) + AT.endMs) >> 3] as number;
    for (const record of left.toSorted((a, b) => endOf(a) - endOf(b))) this.#slots.finish(record);
    this.#edition = Math.max(0, ...left.map((record) => region.words[region.offsetOf(record) / 4] as number));
  }

  /** A record for a new request, in place of the oldest that is finished. */
  begin(startMs: number, trace: TraceContext): number {
    const { bytes, doubles, words } = this.#region;
    const record = this.#slots.take();
    if (record === undefined) {
      if (this.#region.slots > 0) words[UNRECORDED] = (words[UNRECORDED] as number) + 1;
      return NO_RECORD;
    }
    const at = this.#region.offsetOf(record);
    storeInOrder(words, at / 4, 0);
    for (let word = at / 4 + 1; word < (at + AT.traceId) / 4; word++) words[word] = 0;
    bytes[at + AT.outcome] = NONE;
    bytes[at + AT.method] = NONE;
    bytes[at + AT.cause] = NONE;
    bytes[at + AT.auth] = NONE;
    words[(at + AT.limitRemaining) >> 2] = -1;
    doubles[(at + AT.startMs) >> 3] = startMs;
    this.#write(trace.traceId, at + AT.traceId, TRACE_ID_BYTES);
    let flags = trace.isSampled ? FLAG.sampled : 0;
    if (trace.parentSpanId !== null) {
      flags |= FLAG.continued;
      this.#write(trace.parentSpanId, at + AT.parentSpanId, SPAN_ID_BYTES);
    }
    bytes[at + AT.flags] = flags;
    if (trace.tracestate !== null) this.#text(at, TEXTS.tracestate, trace.tracestate);
    this.#edition = (this.#edition + 1) & 0x7fffffff || 1;
    storeInOrder(words, at / 4, this.#edition);
    if (words[USED] !== this.#slots.used) storeInOrder(words, USED, this.#slots.used);
    return record;
  }

  head(record: number, head: RecordedHead, userAgent: string, route: string): void {
    if (record === NO_RECORD) return;
    const { bytes } = this.#region;
    const at = this.#region.offsetOf(record);
    bytes[at + AT.method] = methodNumber(head.method);
    bytes[at + AT.tls] = head.tls === null ? 0 : TLS_VERSIONS.indexOf(head.tls.version) + 1;
    bytes[at + AT.protocol] = PROTOCOLS.indexOf(head.protocol);
    this.#text(at, TEXTS.target, head.target);
    this.#text(at, TEXTS.host, head.host);
    this.#text(at, TEXTS.clientAddress, head.clientAddress);
    if (head.peerAddress !== head.clientAddress) this.#text(at, TEXTS.peerAddress, head.peerAddress);
    this.#text(at, TEXTS.userAgent, userAgent);
    this.#text(at, TEXTS.route, route);
  }

  /** `state` is its number among those of the machine. */
  entered(record: number, state: number, nowMs: number): void {
    if (record === NO_RECORD) return;
    const { bytes, doubles, floats } = this.#region;
    const at = this.#region.offsetOf(record);
    const count = bytes[at + AT.states] as number;
    if (count === STATES_MAX) return;
    floats[(at + AT.stateTimes + 4 * count) >> 2] = nowMs - (doubles[(at + AT.startMs) >> 3] as number);
    bytes[at + AT.statePaths + count] = state;
    bytes[at + AT.states] = count + 1;
  }

  /** The head of the answer is about to be sent. */
  answering(record: number, nowMs: number): void {
    if (record === NO_RECORD) return;
    this.#region.doubles[(this.#region.offsetOf(record) + AT.answerMs) >> 3] = nowMs;
  }

  identified(record: number, scheme: Auth['scheme'], identity: string): void {
    if (record === NO_RECORD) return;
    const at = this.#region.offsetOf(record);
    this.#text(at, TEXTS.identity, identity);
    this.#region.bytes[at + AT.auth] = AUTH_SCHEMES.indexOf(scheme);
  }

  limited(record: number, outcome: LimitOutcome, remaining: number): void {
    if (record === NO_RECORD) return;
    const at = this.#region.offsetOf(record);
    this.#region.words[(at + AT.limitRemaining) >> 2] = remaining;
    this.#region.bytes[at + AT.limit] = LIMIT_OUTCOMES.indexOf(outcome);
  }

  attemptBegun(record: number, upstream: Upstream, spanId: string, nowMs: number): void {
    if (record === NO_RECORD) return;
    const { bytes, doubles, floats, halves } = this.#region;
    const at = this.#region.offsetOf(record);
    const count = bytes[at + AT.attempts] as number;
    if (count === ATTEMPTS_MAX) return;
    const row = at + AT.attemptRows + count * ATTEMPT_BYTES;
    floats[(row + IN_ATTEMPT.startMs) >> 2] = nowMs - (doubles[(at + AT.startMs) >> 3] as number);
    floats[(row + IN_ATTEMPT.endMs) >> 2] = -1;
    halves[(row + IN_ATTEMPT.status) >> 1] = 0;
    bytes[row + IN_ATTEMPT.error] = NONE;
    this.#write(spanId, row + IN_ATTEMPT.spanId, SPAN_ID_BYTES);
    this.#textOf(at, UPSTREAM_TEXT + count, this.#upstreamText(upstream), UPSTREAM_TEXT_BYTES_MAX);
    bytes[at + AT.attempts] = count + 1;
  }

  /** Of the latest attempt; ignored if that is over. */
  attemptAnswered(record: number, status: number, nowMs: number): void {
    const row = this.#openAttempt(record);
    if (row < 0) return;
    this.#region.halves[(row + IN_ATTEMPT.status) >> 1] = status;
    this.#endAttempt(record, row, nowMs);
  }

  /** Of the latest attempt; ignored if that is over. */
  attemptFailed(record: number, error: AttemptError, nowMs: number): void {
    const row = this.#openAttempt(record);
    if (row < 0) return;
    this.#region.bytes[row + IN_ATTEMPT.error] = ATTEMPT_ERRORS.indexOf(error);
    this.#endAttempt(record, row, nowMs);
  }

  refused(record: number, cause: RefusalCause): void {
    if (record === NO_RECORD) return;
    this.#region.bytes[this.#region.offsetOf(record) + AT.cause] = CAUSES.indexOf(cause);
  }

  isSampled(record: number): boolean {
    if (record === NO_RECORD) return false;
    return ((this.#region.bytes[this.#region.offsetOf(record) + AT.flags] as number) & FLAG.sampled) !== 0;
  }

  /** Attempts begun so far. */
  attempts(record: number): number {
    return record === NO_RECORD
      ? 0
      : (this.#region.bytes[this.#region.offsetOf(record) + AT.attempts] as number);
  }

  /** How long the client waited for the head of its answer, or has waited by now. */
  waitedMs(record: number, nowMs: number): number {
    if (record === NO_RECORD) return 0;
    const { doubles } = this.#region;
    const at = this.#region.offsetOf(record);
    return (
      ((doubles[(at + AT.answerMs) >> 3] as number) || nowMs) - (doubles[(at + AT.startMs) >> 3] as number)
    );
  }

  received(record: number, bytes: number): void {
    if (record === NO_RECORD) return;
    this.#region.doubles[(this.#region.offsetOf(record) + AT.requestBytes) >> 3] = bytes;
  }

  sent(record: number, bytes: number): void {
    if (record === NO_RECORD) return;
    const at = this.#region.offsetOf(record) + AT.responseBytes;
    this.#region.doubles[at >> 3] = (this.#region.doubles[at >> 3] as number) + bytes;
  }

  /** The last of a record; its number may be given to another request from here on. */
  end(record: number, outcome: RecordedOutcome, status: number, nowMs: number): void {
    if (record === NO_RECORD) return;
    const { bytes, doubles, halves } = this.#region;
    const at = this.#region.offsetOf(record);
    halves[(at + AT.status) >> 1] = status;
    doubles[(at + AT.endMs) >> 3] = nowMs;
    bytes[at + AT.outcome] = OUTCOMES.indexOf(outcome);
    this.#slots.finish(record);
  }

  /** Hands a copy of the record to the control plane, which counts it as lost if it does not keep up. */
  queue(record: number, isTraced: boolean): void {
    if (record === NO_RECORD) return;
    const { bytes, halves, slots, words } = this.#region;
    const at = this.#region.offsetOf(record);
    if (isTraced) bytes[at + AT.flags] = (bytes[at + AT.flags] as number) | FLAG.traced;
    const put = words[QUEUE_PUT] as number;
    if (((put - Atomics.load(words, QUEUE_TAKEN)) | 0) === QUEUE_RECORDS) {
      words[QUEUE_LOST] = (words[QUEUE_LOST] as number) + 1;
      return;
    }
    const to = this.#region.offsetOf(slots + (put & (QUEUE_RECORDS - 1)));
    bytes.copyWithin(to, at, at + AT.texts + (halves[(at + AT.textBytes) >> 1] as number));
    storeInOrder(words, QUEUE_PUT, put + 1);
  }

  /** Where the latest attempt's row begins, or -1 if there is none under way. */
  #openAttempt(record: number): number {
    const count = this.attempts(record);
    if (count === 0) return -1;
    const row = this.#region.offsetOf(record) + AT.attemptRows + (count - 1) * ATTEMPT_BYTES;
    return (this.#region.floats[(row + IN_ATTEMPT.endMs) >> 2] as number) < 0 ? row : -1;
  }

  #endAttempt(record: number, row: number, nowMs: number): void {
    const { doubles, floats } = this.#region;
    const startMs = doubles[(this.#region.offsetOf(record) + AT.startMs) >> 3] as number;
    floats[(row + IN_ATTEMPT.endMs) >> 2] = nowMs - startMs;
  }

  #upstreamText(upstream: Upstream): string {
    const known = this.#upstreamTexts.get(upstream, upstream.slot);
    return known ?? this.#upstreamTexts.add(upstream, upstreamText(upstream));
  }

  #text(at: number, { code, bytesMax }: TextKind, text: string): void {
    this.#textOf(at, code, text, bytesMax);
  }

  /** A text for which there is no room any more is left out. */
  #textOf(at: number, code: number, text: string, bytesMax: number): void {
    const { bytes, halves } = this.#region;
    const used = halves[(at + AT.textBytes) >> 1] as number;
    const length = Math.min(text.length, bytesMax);
    const end = used + TEXT_HEAD_BYTES + length;
    if (length === 0 || end > TEXTS_BYTES) return;
    const head = at + AT.texts + used;
    bytes[head] = code;
    bytes[head + 1] = length >> 8;
    bytes[head + 2] = length;
    this.#write(text, head + TEXT_HEAD_BYTES, length);
    halves[(at + AT.textBytes) >> 1] = end;
  }

  /** The first `length` characters, each as a byte. */
  #write(text: string, at: number, length: number): void {
    const { bytes } = this.#region;
    // Written, it is the same as latin1, says Node's documentation; it is found sooner among the encodings.
    if (length > LOOP_LENGTH_MAX) bytes.write(text, at, length, 'ascii');
    else for (let nth = 0; nth < length; nth++) bytes[at + nth] = text.charCodeAt(nth);
  }
}
