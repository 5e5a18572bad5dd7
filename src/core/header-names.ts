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

/** Names of headers, whatever their case. What it says of common ones it finds out once. */
export class NameSet {
  readonly #has: (lowerName: string) => boolean;
  readonly #common = new Map<string, boolean>();

  constructor(has: (lowerName: string) => boolean) {
    this.#has = has;
  }

  has(name: string): boolean {
    const known = this.#common.get(name);
    if (known !== undefined) return known;
    const lowerName = lowerCased(name);
    const has = this.#has(lowerName);
    if (LOWER.has(name)) this.#common.set(name, has);
    return has;
  }
}

/** Who has the value of one of these, lower case, may get in with it: it is kept nowhere. */
const SECRET: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'location',
  'referer',
  'set-cookie',
  'x-api-key',
]);

export function isSecret(name: string): boolean {
  return SECRET.has(lowerCased(name));
}
