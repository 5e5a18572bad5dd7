import { SignalboxError } from '#core/errors.ts';
import type { Fields } from '#core/fields.ts';
import { responseHead } from './h1/write-head.ts';

/** An answer's head, one character a byte. Throws a SignalboxError where a part would break out of its place. */
export function rawHead(status: number, reason: string, fields: Fields, end?: string): string {
  const head = responseHead(status, reason, fields, end);
  if (head !== null) return head;
  throw new SignalboxError('answer_malformed', 'signalbox', 'An answer has a header that cannot be sent.');
}
