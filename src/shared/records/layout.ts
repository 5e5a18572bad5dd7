/**
 * Where everything stands in the records of one worker, in bytes. Records have a fixed size. Everything but
 * texts and ids is a number, which stands for an entry of a list in `core/request-record.ts`. The texts stand one
 * behind the other at the record's end, each behind a word that says what it is and how long (see `text-words.ts`),
 * and filled up to whole words.
 */

/** Before the records; Int32 each. */
export const HEADER_BYTES = 64;
/** Records that were put into the queue and taken out of it, ever. */
export const QUEUE_PUT = 0;
export const QUEUE_TAKEN = 1;
/** Records that the queue had no room for. */
export const QUEUE_LOST = 2;
/** Records that were ever in use. */
export const USED = 3;
/** Requests for which there was no record left. */
export const UNRECORDED = 4;
/** What QUEUE_PUT was when the queue was last found empty: that record stands first in it. */
export const QUEUE_FIRST = 5;

/** Finished records that wait for the control plane; a power of two, so that counters may overflow. */
export const QUEUE_RECORDS = 2048;

export const RECORD_BYTES = 2048;

/** More than the request machine enters with all the attempts that a configuration allows. */
export const STATES_MAX = 36;
/** Of one request; a configuration allows no more. */
export const ATTEMPTS_MAX = 10;
const STATE_BYTES = 5;
export const ATTEMPT_BYTES = 20;

/** Offsets in a record. Times are doubles in milliseconds, or floats in milliseconds from `startMs`. */
export const AT = {
  /** Int32: changes whenever the record is used anew; 0 while it is not in use. */
  edition: 0,
  outcome: 4,
  flags: 5,
  method: 6,
  protocol: 7,
  /** 0 without encryption, else the number of its version and 1. */
  tls: 8,
  cause: 9,
  auth: 10,
  limit: 11,
  /** Uint16. */
  status: 12,
  states: 14,
  attempts: 15,
  /** Doubles from here on. */
  startMs: 16,
  /** 0 before that. */
  answerMs: 24,
  endMs: 32,
  requestBytes: 40,
  responseBytes: 48,
  /** Int32, -1 for none. */
  limitRemaining: 56,
  /** Uint16: bytes of the texts. */
  textBytes: 60,
  traceId: 64,
  parentSpanId: 80,
  /** Floats, then as many bytes. */
  stateTimes: 88,
  statePaths: 88 + 4 * STATES_MAX,
  attemptRows: 88 + STATE_BYTES * STATES_MAX,
  /** Where a cache line begins. */
  texts: 512,
} as const;

/** Offsets in the row of an attempt. */
export const IN_ATTEMPT = {
  /** Floats; the end is -1 before it. */
  startMs: 0,
  endMs: 4,
  /** Uint16. */
  status: 8,
  error: 10,
  spanId: 12,
} as const;

export const TRACE_ID_BYTES = 16;
export const SPAN_ID_BYTES = 8;

export const TEXTS_BYTES = RECORD_BYTES - AT.texts;
export const TEXT_HEAD_BYTES = 4;

/** What a text is, and how much of it is kept. */
export const TEXTS = {
  target: { code: 0, bytesMax: 512 },
  host: { code: 1, bytesMax: 128 },
  clientAddress: { code: 2, bytesMax: 46 },
  peerAddress: { code: 3, bytesMax: 46 },
  userAgent: { code: 4, bytesMax: 160 },
  route: { code: 5, bytesMax: 64 },
  identity: { code: 6, bytesMax: 96 },
  tracestate: { code: 7, bytesMax: 512 },
} as const;

export type TextName = keyof typeof TEXTS;
export type TextKind = (typeof TEXTS)[TextName];

/** Upstreams of attempts: the first one's code, those of the others follow. */
export const UPSTREAM_TEXT = 16;
export const UPSTREAM_TEXT_BYTES_MAX = 640;

/** Bits. */
export const FLAG = { sampled: 1, continued: 2, traced: 4 } as const;

/** Stands for no entry of a list. */
export const NONE = 255;

export function regionBytes(slots: number): number {
  return HEADER_BYTES + (slots + QUEUE_RECORDS) * RECORD_BYTES;
}
