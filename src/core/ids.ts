import { randomFillSync } from 'node:crypto';

/** Random bytes are drawn in blocks: one call into the system for a few hundred requests. */
const BLOCK_BYTES = 8192;
const block = Buffer.alloc(BLOCK_BYTES);
const blockWords = new Int32Array(block.buffer, block.byteOffset, BLOCK_BYTES / 4);
let used = BLOCK_BYTES;

/**
 * So many of them are made digits at once, of which ids are parts. Measured: an id by itself takes 1200 instructions,
 * as a part of some 120. Not all at once, as who keeps an id for long keeps what it is a part of.
 */
const PIECE_BYTES = 512;
let digits = '';
/** Of the digits. */
let taken = 0;

/** As many bytes for every id, so that each begins with a whole word. */
const ID_BYTES = 8;

export const TRACE_ID_WORDS = 4;
export const SPAN_ID_WORDS = 2;

const NOWHERE = new Int32Array(TRACE_ID_WORDS);

/**
 * 16 random bytes as 32 lower-case hex digits, never all zero (W3C Trace Context §3.2.2.3). The bytes themselves go
 * to `words`, for who has no use for the digits.
 */
export function newTraceId(words: Int32Array = NOWHERE): string {
  return nonZero(TRACE_ID_WORDS, words);
}

/** 8 random bytes as 16 lower-case hex digits, never all zero (W3C Trace Context §3.2.2.4). As `newTraceId`. */
export function newSpanId(words: Int32Array = NOWHERE): string {
  return nonZero(SPAN_ID_WORDS, words);
}

/** 3 random bytes as 6 lower-case hex digits: enough to tell apart what has the same name. */
export function newSuffix(): string {
  return take(ID_BYTES).slice(0, 6);
}

/** The bytes of somebody else's id, as `newTraceId` says those of ours. */
export function readIdWords(id: string, words: Int32Array): void {
  readBytes.write(id, 'hex');
  for (let nth = 0; nth < words.length; nth++) words[nth] = readWords[nth] as number;
}

const readWords = new Int32Array(TRACE_ID_WORDS);
const readBytes = Buffer.from(readWords.buffer);

function nonZero(length: number, words: Int32Array): string {
  for (;;) {
    const id = take(length * 4);
    const from = (used - PIECE_BYTES) / 4 + taken / 8 - length;
    let bits = 0;
    for (let nth = 0; nth < length; nth++) {
      const word = blockWords[from + nth] as number;
      words[nth] = word;
      bits |= word;
    }
    if (bits !== 0) return id;
  }
}

/** The digits of so many bytes, a multiple of `ID_BYTES`. */
function take(bytes: number): string {
  if (taken + 2 * bytes > digits.length) renew();
  taken += 2 * bytes;
  return digits.slice(taken - 2 * bytes, taken);
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
