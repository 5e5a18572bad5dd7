/**
 * Bytes looked at four at a time: a third of what one at a time costs, since each look into a buffer is checked.
 * Places are those in the view.
 */

/** Of the bytes 0x20, 0x01 and 0x80, four times each. */
const SPACES = 0x20202020;
const ONES = 0x01010101;
const HIGHS = 0x80808080;

const FOUR = 4;
const EIGHT = 8;

/** Of the hash FNV-1a, here of words. */
const FNV_PRIME = 0x01000193;

/**
 * How far the bytes from `from` on are visible characters of ASCII, or spaces, as nearly all text is. It may stop up to
 * three bytes early, and looks at nothing from `end` on.
 */
export function skipText(view: DataView, from: number, end: number): number {
  let at = from;
  for (; at + FOUR <= end; at += FOUR) {
    const word = view.getInt32(at, true);
    // Of bytes without their highest bit, only a control character gets it less 0x20, and only DEL with one more.
    if ((word | (word - SPACES) | (word + ONES)) & HIGHS) break;
  }
  return at;
}

/**
 * How many of the first `length` bytes are the same at both places. Bytes of `b` are none of them 0: eight that are a
 * number are then the same bytes where they are the same number.
 */
export function sameBytes(a: DataView, aAt: number, b: DataView, bAt: number, length: number): number {
  const last = length - EIGHT;
  let at = 0;
  while (at < last && areSame(a, aAt + at, b, bAt + at)) at += EIGHT;
  if (at >= last && last >= 0 && areSame(a, aAt + last, b, bAt + last)) return length;
  for (; at + FOUR <= length; at += FOUR) {
    const differing = a.getInt32(aAt + at, true) ^ b.getInt32(bAt + at, true);
    if (differing !== 0) return at + ((31 - Math.clz32(differing & -differing)) >> 3);
  }
  while (at < length && a.getUint8(aAt + at) === b.getUint8(bAt + at)) at++;
  return at;
}

function areSame(a: DataView, aAt: number, b: DataView, bAt: number): boolean {
  return a.getFloat64(aAt, true) === b.getFloat64(bAt, true);
}

/** Of the bytes from `from` to `end`: a number that is most likely another one for other bytes. */
export function hashOf(view: DataView, from: number, end: number): number {
  let hash = end - from;
  let at = from;
  for (; at + FOUR <= end; at += FOUR) hash = Math.imul(hash ^ view.getInt32(at, true), FNV_PRIME);
  for (; at < end; at++) hash = Math.imul(hash ^ view.getUint8(at), FNV_PRIME);
  return hash ^ (hash >>> 15);
}

/** The two buffers that were new last, and their views: a thread reads nearly everything into the same two. */
let latest: Buffer = Buffer.alloc(0);
let latestView: DataView = new DataView(latest.buffer, latest.byteOffset, 0);
let earlier = latest;
let earlierView = latestView;

/** To make a view costs more than to read a short head with it. */
export function viewOf(bytes: Buffer): DataView {
  if (bytes === latest) return latestView;
  if (bytes === earlier) return earlierView;
  earlier = latest;
  earlierView = latestView;
  latest = bytes;
  latestView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return latestView;
}
