import { TEXT_HEAD_BYTES } from './layout.ts';

/** A text as it stands in a record: a word with its code and length, then its characters, a byte each. */
export type TextWords = readonly number[];

const LENGTH_SHIFT = 8;
const CODE_MASK = 2 ** LENGTH_SHIFT - 1;

/** What is too long is cut. */
export function textWords(code: number, text: string, bytesMax: number): TextWords {
  const length = Math.min(text.length, bytesMax);
  const words = new Int32Array(wholeWords(TEXT_HEAD_BYTES + length) / Int32Array.BYTES_PER_ELEMENT);
  words[0] = textHead(code, length);
  Buffer.from(words.buffer).write(text, TEXT_HEAD_BYTES, length, 'latin1');
  return Array.from(words);
}

export function textHead(code: number, length: number): number {
  return code | (length << LENGTH_SHIFT);
}

export function codeIn(head: number): number {
  return head & CODE_MASK;
}

export function lengthIn(head: number): number {
  return head >>> LENGTH_SHIFT;
}

/** The bytes of as many words as are needed for so many. */
export function wholeWords(bytes: number): number {
  return (bytes + 3) & ~3;
}
