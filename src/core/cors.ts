/** Cross-origin requests of browsers (Fetch standard, CORS protocol). */
import { type FlatHeaders, headerList, headerValue } from './headers.ts';
import type { Cors } from './table.ts';

/** The method that a browser asks for beforehand; null where the request is no preflight. */
export function preflightMethod(method: string, headers: FlatHeaders): string | null {
  if (method !== 'OPTIONS' || headerValue(headers, 'origin') === null) return null;
  return headerValue(headers, 'access-control-request-method');
}

/** Whether a header of an upstream would speak in place of ours. */
export function isCorsHeader(lowerName: string): boolean {
  return lowerName.startsWith('access-control-');
}

/** What an answer says to scripts of other origins; it is without a word to those that may not have it. */
export function corsHeaders(cors: Cors, request: FlatHeaders): string[] {
  const headers = originHeaders(cors, request);
  if (isAllowed(cors, request) && cors.exposedHeaders !== '')
    headers.push('Access-Control-Expose-Headers', cors.exposedHeaders);
  return headers;
}

/** What a preflight is answered with. */
export function preflightHeaders(cors: Cors, request: FlatHeaders): string[] {
  const headers = originHeaders(cors, request);
  if (!isAllowed(cors, request)) return headers;
  headers.push('Access-Control-Allow-Methods', cors.methods);
  if (cors.headers !== '') headers.push('Access-Control-Allow-Headers', cors.headers);
  headers.push('Access-Control-Max-Age', `${cors.maxAgeSeconds}`);
  return headers;
}

function originHeaders(cors: Cors, request: FlatHeaders): string[] {
  if (cors.origins === '*') return ['Access-Control-Allow-Origin', '*'];
  // Caches have to keep the answers to different origins apart, also the one without a word.
  const headers = ['Vary', 'Origin'];
  if (!isAllowed(cors, request)) return headers;
  headers.push('Access-Control-Allow-Origin', headerList(request, 'origin') ?? '');
  if (cors.hasCredentials) headers.push('Access-Control-Allow-Credentials', 'true');
  return headers;
}

function isAllowed({ origins }: Cors, request: FlatHeaders): boolean {
  if (origins === '*') return true;
  const origin = headerList(request, 'origin');
  return origin !== null && origins.includes(origin);
}
