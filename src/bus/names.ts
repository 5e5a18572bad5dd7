/**
 * Subjects and keys are words joined by dots. A pattern may have `*` for any one word, and `>` at its end
 * for one or more. This is what NATS takes, less the characters that it gives a meaning of its own.
 */
import { BusError } from './errors.ts';

export const NAME_CHARS_MAX = 256;

const WORDS = /^[\w=/-]+(?:\.[\w=/-]+)*$/;
const PATTERN = /^(?:(?:[\w=/-]+|\*)\.)*(?:[\w=/-]+|\*|>)$/;
/** Parts of a JetStream stream's name, in which `_` joins them. */
const WORDS_OF_STREAM = /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/;
const WORD_OF_STREAM = /^[A-Za-z0-9-]+$/;

export function isKey(text: string): boolean {
  return text.length <= NAME_CHARS_MAX && WORDS.test(text);
}

export function isPrefix(text: string): boolean {
  return text.length <= NAME_CHARS_MAX && WORDS_OF_STREAM.test(text);
}

export function requireSubject(text: string): void {
  demand('subject', text, WORDS, 'words of letters, digits and _ = / - joined by dots');
}

export function requireKey(text: string): void {
  demand('key', text, WORDS, 'words of letters, digits and _ = / - joined by dots');
}

export function requirePattern(text: string): void {
  demand('pattern', text, PATTERN, 'words or * joined by dots; the last may be >');
}

export function requireBucketName(text: string): void {
  demand('bucket name', text, WORD_OF_STREAM, 'letters, digits and -');
}

export function requirePrefix(text: string): void {
  demand('prefix', text, WORDS_OF_STREAM, 'words of letters, digits and - joined by dots');
}

/** Both are taken to be well-formed. */
export function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const words = subject.split('.');
  for (const [index, want] of wanted.entries()) {
    if (want === '>') return words.length > index;
    if (index >= words.length || (want !== '*' && want !== words[index])) return false;
  }
  return words.length === wanted.length;
}

function demand(what: string, text: string, form: RegExp, expected: string): void {
  if (text.length <= NAME_CHARS_MAX && form.test(text)) return;
  const shown = text.length <= NAME_CHARS_MAX ? text : `${text.slice(0, NAME_CHARS_MAX)}…`;
  throw new BusError(
    'bus_bad_name',
    `${JSON.stringify(shown)} is no ${what} of the bus: expected are ${expected}, at most ${NAME_CHARS_MAX} characters`,
  );
}
