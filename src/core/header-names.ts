/**
 * Names of headers that most messages have. A string that is one of these, the same object every time, has been
 * hashed before: to look it up costs a third of what lower-casing it does, and makes no string.
 */
const COMMON = [
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Accept-Ranges',
  'Access-Control-Allow-Origin',
  'Age',
  'Authorization',
  'Cache-Control',
  'Connection',
  'Content-Encoding',
  'Content-Length',
  'Content-Type',
  'Cookie',
  'DNT',
  'Date',
  'ETag',
  'Expires',
  'Forwarded',
  'Host',
  'If-Modified-Since',
  'If-None-Match',
  'Keep-Alive',
  'Last-Modified',
  'Location',
  'Origin',
  'Pragma',
  'Priority',
  'RateLimit',
  'RateLimit-Policy',
  'Range',
  'Referer',
  'Sec-Fetch-Dest',
  'Sec-Fetch-Mode',
  'Sec-Fetch-Site',
  'Sec-Fetch-User',
  'Server',
  'Set-Cookie',
  'Strict-Transport-Security',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'Upgrade-Insecure-Requests',
  'User-Agent',
  'Vary',
  'Via',
  'X-API-Key',
  'X-Backend',
  'X-Content-Type-Options',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Frame-Options',
  'X-Powered-By',
  'X-Proxy-By',
  'X-Rate-Limit-Limit',
  'X-Rate-Limit-Remaining',
  'X-Rate-Limit-Reset',
  'X-Real-IP',
  'X-Request-ID',
  'X-Requested-With',
  'X-Response-Time',
  'traceparent',
  'tracestate',
] as const;

/** The names above as they are usually spelled, and in lower case. */
export const COMMON_SPELLINGS: readonly string[] = [
  ...new Set(COMMON.flatMap((name) => [name, name.toLowerCase()])),
];

const LOWER = new Map(COMMON_SPELLINGS.map((name) => [name, name.toLowerCase()]));

export function lowerCased(name: string): string {
  return LOWER.get(name) ?? name.toLowerCase();
}

const LINES = new Map(COMMON_SPELLINGS.map((name) => [name, `\r\n${name}: `]));

/** How a line that follows another one begins with it, if it is one of the common names; these are tokens. */
export function commonLine(name: string): string | undefined {
  return LINES.get(name);
}
