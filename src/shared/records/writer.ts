import { SPAN_ID_WORDS, TRACE_ID_WORDS } from '#core/ids.ts';
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
import { storeInOrder } from '../ordered-store.ts';
import * as layout from './layout.ts';
import type { Region } from './region.ts';
import { Slots } from './slots.ts';
import { type RecordedTexts, TextWriter } from './text-writer.ts';

/** Stands for the record of a request that has none; what is written there is nowhere. */
export const NO_RECORD = -1;

// For V8 to fold: see docs/decisions/046-own-constants.md.
const NOWHERE = NO_RECORD;
const {
  AT,
  ATTEMPT_BYTES,
  ATTEMPTS_MAX,
  FLAG,
  IN_ATTEMPT,
  NONE,
  QUEUE_FIRST,
  QUEUE_LOST,
  QUEUE_PUT,
  QUEUE_RECORDS,
  QUEUE_TAKEN,
  SPAN_ID_BYTES,
  STATES_MAX,
  UNRECORDED,
  USED,
} = layout;

/** What a request's head has to say. */
export type RecordedHead = RecordedTexts & {
  readonly method: string;
  readonly tls: ClientTls | null;
  readonly protocol: Protocol;
};

/**
 * Writes the records of one worker, the only one to do so. A request knows its record by number, and everything
 * is written where it stays, so nothing is allocated. While a request is under way its record only grows, and
 * what has grown is counted when it is there: a reader finds nothing half done. Only where processors reorder stores
 * may one see, for a moment, the number of a state or an attempt before the rest of it.
 */
export class RecordWriter {
  // Set once, for V8 to know them: see docs/decisions/046-own-constants.md.
  declare private readonly region: Region;
  declare private readonly slots: Slots;
  declare private readonly texts: TextWriter;
  #edition: number;

  /** Goes on with the finished records of a predecessor; those that it had under way have to be closed. */
  constructor(region: Region, kept: number) {
    this.region = region;
    this.texts = new TextWriter(region);
    const used = region.words[USED] as number;
    this.slots = new Slots(region.slots, kept, used);
    const left = Array.from({ length: used }, (_, record) => record);
    const endOf = (record: number) => region.doubles[(region.offsetOf(record) + AT.endMs) >> 3] as number;
    for (const record of left.toSorted((a, b) => endOf(a) - endOf(b))) this.slots.finish(record);
    this.#edition = Math.max(0, ...left.map((record) => region.words[region.offsetOf(record) / 4] as number));
  }

  /** A record for a new request, in place of the oldest that is finished. `traceId` is the trace's, in words. */
  begin(startMs: number, trace: TraceContext, traceId: Int32Array): number {
    const { bytes, doubles, words } = this.region;
    const record = this.slots.take();
    if (record === undefined) {
      if (this.region.slots > 0) words[UNRECORDED] = (words[UNRECORDED] as number) + 1;
      return NOWHERE;
    }
    const at = this.region.offsetOf(record);
    storeInOrder(words, at / 4, 0);
    for (let place = at >> 3; place < (at + AT.traceId) >> 3; place++) doubles[place] = 0;
    bytes[at + AT.outcome] = NONE;
    bytes[at + AT.method] = NONE;
    bytes[at + AT.cause] = NONE;
    bytes[at + AT.auth] = NONE;
    words[(at + AT.limitRemaining) >> 2] = -1;
    doubles[(at + AT.startMs) >> 3] = startMs;
    for (let nth = 0; nth < TRACE_ID_WORDS; nth++)
      words[((at + AT.traceId) >> 2) + nth] = traceId[nth] as number;
    let flags = trace.isSampled ? FLAG.sampled : 0;
    if (trace.parentSpanId !== null) {
      flags |= FLAG.continued;
      bytes.write(trace.parentSpanId, at + AT.parentSpanId, SPAN_ID_BYTES, 'hex');
    }
    bytes[at + AT.flags] = flags;
    if (trace.tracestate !== null) this.texts.tracestate(at, trace.tracestate);
    this.#edition = (this.#edition + 1) & 0x7fffffff || 1;
    storeInOrder(words, at / 4, this.#edition);
    if (words[USED] !== this.slots.used) storeInOrder(words, USED, this.slots.used);
    return record;
  }

  head(record: number, head: RecordedHead, userAgent: string, route: string): void {
    if (record === NOWHERE) return;
    const { bytes } = this.region;
    const at = this.region.offsetOf(record);
    bytes[at + AT.method] = methodNumber(head.method);
    bytes[at + AT.tls] = head.tls === null ? 0 : TLS_VERSIONS.indexOf(head.tls.version) + 1;
    bytes[at + AT.protocol] = numberIn(PROTOCOLS, head.protocol);
    this.texts.head(at, head, userAgent, route);
  }

  /** `state` is its number among those of the machine. */
  entered(record: number, state: number, nowMs: number): void {
    if (record === NOWHERE) return;
    const { bytes, doubles, floats } = this.region;
    const at = this.region.offsetOf(record);
    const count = bytes[at + AT.states] as number;
    if (count === STATES_MAX) return;
    floats[(at + AT.stateTimes + 4 * count) >> 2] = nowMs - (doubles[(at + AT.startMs) >> 3] as number);
    bytes[at + AT.statePaths + count] = state;
    bytes[at + AT.states] = count + 1;
  }

  /** The head of the answer is about to be sent. */
  answering(record: number, nowMs: number): void {
    if (record === NOWHERE) return;
    this.region.doubles[(this.region.offsetOf(record) + AT.answerMs) >> 3] = nowMs;
  }

  identified(record: number, scheme: Auth['scheme'], identity: string): void {
    if (record === NOWHERE) return;
    const at = this.region.offsetOf(record);
    this.texts.identity(at, identity);
    this.region.bytes[at + AT.auth] = numberIn(AUTH_SCHEMES, scheme);
  }

  isIdentified(record: number): boolean {
    if (record === NOWHERE) return false;
    return this.region.bytes[this.region.offsetOf(record) + AT.auth] !== NONE;
  }

  limited(record: number, outcome: LimitOutcome, remaining: number): void {
    if (record === NOWHERE) return;
    const at = this.region.offsetOf(record);
    this.region.words[(at + AT.limitRemaining) >> 2] = remaining;
    this.region.bytes[at + AT.limit] = numberIn(LIMIT_OUTCOMES, outcome);
  }

  /** `spanId` is that of the attempt's span, in words. */
  attemptBegun(record: number, upstream: Upstream, spanId: Int32Array, nowMs: number): void {
    if (record === NOWHERE) return;
    const { bytes, doubles, floats, halves, words } = this.region;
    const at = this.region.offsetOf(record);
    const count = bytes[at + AT.attempts] as number;
    if (count === ATTEMPTS_MAX) return;
    const row = at + AT.attemptRows + count * ATTEMPT_BYTES;
    floats[(row + IN_ATTEMPT.startMs) >> 2] = nowMs - (doubles[(at + AT.startMs) >> 3] as number);
    floats[(row + IN_ATTEMPT.endMs) >> 2] = -1;
    halves[(row + IN_ATTEMPT.status) >> 1] = 0;
    bytes[row + IN_ATTEMPT.error] = NONE;
    for (let nth = 0; nth < SPAN_ID_WORDS; nth++)
      words[((row + IN_ATTEMPT.spanId) >> 2) + nth] = spanId[nth] as number;
    this.texts.upstream(at, count, upstream);
    bytes[at + AT.attempts] = count + 1;
  }

  /** Whether the latest attempt is under way. */
  hasOpenAttempt(record: number): boolean {
    return this.#openAttempt(record) >= 0;
  }

  /** Of the latest attempt; ignored if that is over. */
  attemptAnswered(record: number, status: number, nowMs: number): void {
    const row = this.#openAttempt(record);
    if (row < 0) return;
    this.region.halves[(row + IN_ATTEMPT.status) >> 1] = status;
    this.#endAttempt(record, row, nowMs);
  }

  /** Of the latest attempt; ignored if that is over. */
  attemptFailed(record: number, error: AttemptError, nowMs: number): void {
    const row = this.#openAttempt(record);
    if (row < 0) return;
    this.region.bytes[row + IN_ATTEMPT.error] = numberIn(ATTEMPT_ERRORS, error);
    this.#endAttempt(record, row, nowMs);
  }

  refused(record: number, cause: RefusalCause): void {
    if (record === NOWHERE) return;
    this.region.bytes[this.region.offsetOf(record) + AT.cause] = numberIn(CAUSES, cause);
  }

  isSampled(record: number): boolean {
    if (record === NOWHERE) return false;
    return ((this.region.bytes[this.region.offsetOf(record) + AT.flags] as number) & FLAG.sampled) !== 0;
  }

  /** Attempts begun so far. */
  attempts(record: number): number {
    return record === NOWHERE ? 0 : (this.region.bytes[this.region.offsetOf(record) + AT.attempts] as number);
  }

  /** How long the client waited for the head of its answer, or has waited by now. */
  waitedMs(record: number, nowMs: number): number {
    if (record === NOWHERE) return 0;
    const { doubles } = this.region;
    const at = this.region.offsetOf(record);
    return (
      ((doubles[(at + AT.answerMs) >> 3] as number) || nowMs) - (doubles[(at + AT.startMs) >> 3] as number)
    );
  }

  received(record: number, bytes: number): void {
    if (record === NOWHERE) return;
    this.region.doubles[(this.region.offsetOf(record) + AT.requestBytes) >> 3] = bytes;
  }

  sent(record: number, bytes: number): void {
    if (record === NOWHERE) return;
    const at = this.region.offsetOf(record) + AT.responseBytes;
    this.region.doubles[at >> 3] = (this.region.doubles[at >> 3] as number) + bytes;
  }

  /** The last of a record; its number may be given to another request from here on. */
  end(record: number, outcome: RecordedOutcome, status: number, nowMs: number): void {
    if (record === NOWHERE) return;
    const { bytes, doubles, halves } = this.region;
    const at = this.region.offsetOf(record);
    halves[(at + AT.status) >> 1] = status;
    doubles[(at + AT.endMs) >> 3] = nowMs;
    bytes[at + AT.outcome] = numberIn(OUTCOMES, outcome);
    this.slots.finish(record);
  }

  /** Hands a copy of the record to the control plane, which counts it as lost if it does not keep up. */
  queue(record: number, isTraced: boolean): void {
    if (record === NOWHERE) return;
    const { bytes, halves, slots, words } = this.region;
    const at = this.region.offsetOf(record);
    if (isTraced) bytes[at + AT.flags] = (bytes[at + AT.flags] as number) | FLAG.traced;
    const put = words[QUEUE_PUT] as number;
    const waiting = (put - Atomics.load(words, QUEUE_TAKEN)) | 0;
    if (waiting === QUEUE_RECORDS) {
      words[QUEUE_LOST] = (words[QUEUE_LOST] as number) + 1;
      return;
    }
    // No more of its memory is touched than was ever waiting: seldom a twentieth.
    if (waiting === 0) words[QUEUE_FIRST] = put;
    const to = this.region.offsetOf(slots + ((put - (words[QUEUE_FIRST] as number)) & (QUEUE_RECORDS - 1)));
    bytes.copyWithin(to, at, at + AT.texts + (halves[(at + AT.textBytes) >> 1] as number));
    storeInOrder(words, QUEUE_PUT, put + 1);
  }

  /** Where the latest attempt's row begins, or -1 if there is none under way. */
  #openAttempt(record: number): number {
    const count = this.attempts(record);
    if (count === 0) return -1;
    const row = this.region.offsetOf(record) + AT.attemptRows + (count - 1) * ATTEMPT_BYTES;
    return (this.region.floats[(row + IN_ATTEMPT.endMs) >> 2] as number) < 0 ? row : -1;
  }

  #endAttempt(record: number, row: number, nowMs: number): void {
    const { doubles, floats } = this.region;
    const startMs = doubles[(this.region.offsetOf(record) + AT.startMs) >> 3] as number;
    floats[(row + IN_ATTEMPT.endMs) >> 2] = nowMs - startMs;
  }
}

/** Faster than `indexOf` where all entries are the program's own, which are compared by where they are. */
function numberIn<Entry>(list: readonly Entry[], entry: Entry): number {
  for (let number = 0; number < list.length; number++) if (list[number] === entry) return number;
  return NONE;
}
