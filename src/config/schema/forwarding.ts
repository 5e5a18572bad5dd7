/** `retry` and `timeouts`, for all routes and, key by key, for one. */

import { z } from 'zod';
import { ATTEMPTS_MAX } from '#shared/records/layout.ts';
import { expecting } from './section.ts';
import { integer, milliseconds, Whole } from './values.ts';

export const BodyBytesMax = expecting(
  z.union([Whole.min(0).max(Number.MAX_SAFE_INTEGER), z.null()]),
  'a whole number of bytes, or null for any',
);

export const RateMin = integer(0, 1_000_000_000, 'bytes a second');

const RETRY_BODY_BYTES_MAX = 16 * 1024 * 1024;

const RetryStatus = expecting(
  Whole.refine((status) => status === 429 || (status >= 500 && status <= 599)),
  '429 or a status from 500 to 599',
);

const attempts = integer(1, ATTEMPTS_MAX).describe(
  'Tries of one request in all, the first included, each at another upstream while there is one; 1 means no failover.',
);
const onStatus = z.array(RetryStatus).describe('Statuses of an upstream that count as a failed attempt.');
const nonIdempotent = z
  .boolean()
  .describe('Whether methods such as POST may be sent again after something of them was sent.');
const bodyBufferBytes = integer(0, RETRY_BODY_BYTES_MAX, 'bytes').describe(
  'Request body kept for another attempt; a longer one is sent once. As much has to come before an upstream is chosen, or 100 ms pass where its length is not declared.',
);

export const Retry = z.strictObject({
  attempts: attempts.default(2),
  on_status: onStatus.default([]),
  non_idempotent: nonIdempotent.default(false),
  body_buffer_bytes: bodyBufferBytes.default(65_536),
});

export const RouteRetry = z.strictObject({
  attempts: attempts.optional(),
  on_status: onStatus.optional(),
  non_idempotent: nonIdempotent.optional(),
  body_buffer_bytes: bodyBufferBytes.optional(),
});

const connectMs = milliseconds(1).describe('Until a connection with the upstream stands, TLS included.');
const firstByteMs = milliseconds(1).describe("From the request's last byte to the response's head.");
const idleMs = milliseconds(1).describe('Between two pieces of a body, or of an upgraded connection.');
const attemptMs = milliseconds(1).describe("One attempt, up to the response's head.");
const requestMs = milliseconds(1).describe("All attempts together, up to the response's head.");

export const Timeouts = z.strictObject({
  connect_ms: connectMs.default(3_000),
  first_byte_ms: firstByteMs.default(30_000),
  idle_ms: idleMs.default(60_000),
  attempt_ms: attemptMs.default(60_000),
  request_ms: requestMs.default(120_000),
});

export const RouteTimeouts = z.strictObject({
  connect_ms: connectMs.optional(),
  first_byte_ms: firstByteMs.optional(),
  idle_ms: idleMs.optional(),
  attempt_ms: attemptMs.optional(),
  request_ms: requestMs.optional(),
});
