import { randomFillSync } from 'node:crypto';

/** Random bytes are drawn in blocks: one call into the system for a few hundred requests. */
const BLOCK_BYTES = 8192;
const block = Buffer.allocUnsafe(BLOCK_BYTES);
let used = BLOCK_BYTES;

function randomHex(bytes: number): string {
  if (used + bytes > BLOCK_BYTES) {
    randomFillSync(block);
    used = 0;
  }
  used += bytes;
  return block.toString('hex', used - bytes, used);
}

/** 16 random bytes as 32 lower-case hex digits, never all zero (W3C Trace Context §3.2.2.3). */
export function newTraceId(): string {
  return nonZero(16);
}

/** 8 random bytes as 16 lower-case hex digits, never all zero (W3C Trace Context §3.2.2.4). */
export function newSpanId(): string {
  return nonZero(8);
}

/** 3 random bytes as 6 lower-case hex digits: enough to tell apart what has the same name. */
export function newSuffix(): string {
  return randomHex(3);
}

function nonZero(bytes: number): string {
  for (;;) {
    const hex = randomHex(bytes);
    if (!/^0+$/.test(hex)) return hex;
  }
}
