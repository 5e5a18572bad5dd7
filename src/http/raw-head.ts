import { SignalboxError } from '#core/errors.ts';
import type { FlatHeaders } from '#core/headers.ts';

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110 §5.5; also reason phrases (RFC 9112 §4). */
const TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * An answer's status line and headers, one character a byte. Throws a SignalboxError for what could not be
 * said in one line, so that nothing breaks out of its header.
 */
export function rawHead(status: number, reason: string, headers: FlatHeaders): string {
  if (!TEXT.test(reason)) throw unfit('a reason phrase');
  let head = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string;
    const value = headers[at + 1] as string;
    if (!TOKEN.test(name)) throw unfit("a header's name");
    if (!TEXT.test(value)) throw unfit(`the header ${name}`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}

function unfit(what: string): SignalboxError {
  return new SignalboxError(
    'answer_malformed',
    'signalbox',
    `An answer has bytes in ${what} that cannot be sent.`,
  );
}
