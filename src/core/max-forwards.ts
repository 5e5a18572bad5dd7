import { type FlatHeaders, headerValue } from './headers.ts';

/** Max-Forwards counts the proxies that a request may still pass, if it is an OPTIONS (RFC 9110 §7.6.2). */
const DIGITS = /^[0-9]+$/;

/** Whether the request has come as far as it may, and we are the ones to answer it. */
export function endsHere(method: string, headers: FlatHeaders): boolean {
  if (method !== 'OPTIONS') return false;
  const value = headerValue(headers, 'max-forwards');
  return value !== null && DIGITS.test(value) && Number(value) === 0;
}

/** The value that the next one gets to see: less by one, and no more than we can count. */
export function forwardedOn(method: string, value: string): string {
  if (method !== 'OPTIONS' || !DIGITS.test(value)) return value;
  return `${Math.min(Math.max(0, Number(value) - 1), Number.MAX_SAFE_INTEGER)}`;
}
