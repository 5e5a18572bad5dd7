/** Cross-origin requests of browsers (Fetch standard, CORS protocol). */
import { fieldName } from './field-names.ts';
import { Fields } from './fields.ts';
import type { Cors } from './table.ts';

const ORIGIN = fieldName('origin');
const REQUEST_METHOD = fieldName('access-control-request-method');

/** The method that a browser asks for beforehand; null where the request is no preflight. */
export function preflightMethod(method: string, headers: Fields): string | null {
  if (method !== 'OPTIONS' || headers.value(ORIGIN) === null) return null;
  return headers.value(REQUEST_METHOD);
}

/** Whether a header of an upstream would speak in place of ours. */
export function isCorsHeader(lowerName: string): boolean {
  return lowerName.startsWith('access-control-');
}

/** What an answer says to scripts of other origins; it is without a word to those that may not have it. */
export function corsHeaders(cors: Cors, request: Fields): Fields {
  const headers = originHeaders(cors, request);
  if (isAllowed(cors, request) && cors.exposedHeaders !== '')
    headers.push('Access-Control-Expose-Headers', cors.exposedHeaders);
  return Fields.of(headers);
}

/** What a preflight is answered with. */
export function preflightHeaders(cors: Cors, request: Fields): Fields {
  const headers = originHeaders(cors, request);
  if (!isAllowed(cors, request)) return Fields.of(headers);
  headers.push('Access-Control-Allow-Methods', cors.methods);
  if (cors.headers !== '') headers.push('Access-Control-Allow-Headers', cors.headers);
  headers.push('Access-Control-Max-Age', `${cors.maxAgeSeconds}`);
  return Fields.of(headers);
}

function originHeaders(cors: Cors, request: Fields): string[] {
  if (cors.origins === '*') return ['Access-Control-Allow-Origin', '*'];
  // Caches have to keep the answers to different origins apart, also the one without a word.
  const headers = ['Vary', 'Origin'];
  if (!isAllowed(cors, request)) return headers;
  headers.push('Access-Control-Allow-Origin', request.list(ORIGIN) ?? '');
  if (cors.hasCredentials) headers.push('Access-Control-Allow-Credentials', 'true');
  return headers;
}

function isAllowed({ origins }: Cors, request: Fields): boolean {
  if (origins === '*') return true;
  const origin = request.list(ORIGIN);
  return origin !== null && origins.includes(origin);
}
