import type { FlatHeaders } from '#core/headers.ts';
import { consistsOf, TARGET, TEXT, TOKEN } from './bytes.ts';

/**
 * Heads as one text, for one write as latin1. Each is null where a part of it would not stay a part of it: line
 * breaks, other control characters, or characters that are more than one byte.
 */

export function requestHead(method: string, target: string, headers: FlatHeaders): string | null {
  const isLine = isToken(method) && target !== '' && consistsOf(TARGET, target);
  return isLine ? withFields(`${method} ${target} HTTP/1.1\r\n`, headers) : null;
}

/** `status` is a whole number from 100 to 999. */
export function responseHead(status: number, reason: string, headers: FlatHeaders): string | null {
  return consistsOf(TEXT, reason) ? withFields(`HTTP/1.1 ${status} ${reason}\r\n`, headers) : null;
}

/** The last chunk, with what follows a chunked body. */
export function lastChunk(trailers: FlatHeaders): string | null {
  return withFields('0\r\n', trailers);
}

/** What stands before a chunk of data; CRLF stands after it. */
export function chunkHead(bytes: number): string {
  return `${bytes.toString(16)}\r\n`;
}

function withFields(start: string, headers: FlatHeaders): string | null {
  let head = start;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string;
    const value = headers[at + 1] as string;
    if (!isToken(name) || !consistsOf(TEXT, value)) return null;
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}

function isToken(text: string): boolean {
  return text !== '' && consistsOf(TOKEN, text);
}
