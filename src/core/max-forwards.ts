import { fieldName } from './field-names.ts';
import type { Fields } from './fields.ts';

/** Max-Forwards counts the proxies that a request may still pass, if it is an OPTIONS (RFC 9110 §7.6.2). */
const MAX_FORWARDS = fieldName('max-forwards');
const DIGITS = /^[0-9]+$/;

/** Whether the request has come as far as it may, and we are the ones to answer it. */
export function endsHere(method: string, headers: Fields): boolean {
  if (method !== 'OPTIONS') return false;
  const value = headers.value(MAX_FORWARDS);
  return value !== null && DIGITS.test(value) && Number(value) === 0;
}

/** The value that the next one gets to see: less by one, and no more than we can count. */
export function forwardedOn(method: string, value: string): string {
  if (method !== 'OPTIONS' || !DIGITS.test(value)) return value;
  return `${Math.min(Math.max(0, Number(value) - 1), Number.MAX_SAFE_INTEGER)}`;
}
