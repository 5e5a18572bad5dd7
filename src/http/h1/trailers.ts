import { type FlatHeaders, isHopByHop } from '#core/headers.ts';

/** Fields that a message is routed, framed or processed by before its body: too late in a trailer (RFC 9110 §6.5.1). */
const NEEDED_BEFORE = new Set([
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expires',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'location',
  'max-forwards',
  'pragma',
  'range',
  'retry-after',
  'set-cookie',
  'trailer',
  'vary',
  'via',
  'warning',
  'www-authenticate',
]);

/** Trailer fields, less those that must not be there. */
export function passableTrailers(received: FlatHeaders): FlatHeaders {
  const passed: string[] = [];
  for (let at = 0; at + 1 < received.length; at += 2) {
    const name = received[at] as string;
    const lowerName = name.toLowerCase();
    if (isHopByHop(lowerName) || NEEDED_BEFORE.has(lowerName)) continue;
    passed.push(name, received[at + 1] as string);
  }
  return passed;
}
