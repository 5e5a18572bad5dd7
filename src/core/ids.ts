import { randomFillSync } from 'node:crypto';

/** Random bytes are drawn in blocks: one call into the system for a few hundred requests. */
const BLOCK_BYTES = 8192;
const block = Buffer.allocUnsafe(BLOCK_BYTES);
let used = BLOCK_BYTES;

/**
 * So many of them are made digits at once, of which ids are parts. Measured: an id by itself takes 1200 instructions,
 * as a part of some 120. Not all at once, as who keeps an id for long keeps what it is a part of.
 */
const PIECE_BYTES = 512;
let digits = '';
let taken = 0;

function randomHex(length: number): string {
  if (taken + length > digits.length) renew();
  taken += length;
  return digits.slice(taken - length, taken);
}

function renew(): void {
  if (used === BLOCK_BYTES) {
    randomFillSync(block);
    used = 0;
  }
  used += PIECE_BYTES;
  digits = block.toString('hex', used - PIECE_BYTES, used);
  taken = 0;
}

/** 16 random bytes as 32 lower-case hex digits, never all zero (W3C Trace Context §3.2.2.3). */
export function newTraceId(): string {
  return nonZero(32);
}

/** 8 random bytes as 16 lower-case hex digits, never all zero (W3C Trace Context §3.2.2.4). */
export function newSpanId(): string {
  return nonZero(16);
}

/** 3 random bytes as 6 lower-case hex digits: enough to tell apart what has the same name. */
export function newSuffix(): string {
  return randomHex(6);
}

const ZERO = 0x30;

function nonZero(length: number): string {
  for (;;) {
    const hex = randomHex(length);
    for (let at = 0; at < length; at++) if (hex.charCodeAt(at) !== ZERO) return hex;
  }
}
