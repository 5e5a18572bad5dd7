/**
 * Names of headers that most messages have. A string that is one of these, the same object every time, has been
 * hashed before: to look it up costs a third of what lower-casing it does, and makes no string.
 */
const COMMON = [
  'Accept',
  'Accept-Charset',
  'Accept-Encoding',
  'Accept-Language',
  'Accept-Ranges',
  'Access-Control-Allow-Credentials',
  'Access-Control-Allow-Headers',
  'Access-Control-Allow-Methods',
  'Access-Control-Allow-Origin',
  'Access-Control-Expose-Headers',
  'Access-Control-Max-Age',
  'Access-Control-Request-Headers',
  'Access-Control-Request-Method',
  'Age',
  'Allow',
  'Alt-Svc',
  'Authorization',
  'Cache-Control',
  'Connection',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Content-Length',
  'Content-Location',
  'Content-Range',
  'Content-Security-Policy',
  'Content-Type',
  'Cookie',
  'Cross-Origin-Opener-Policy',
  'Cross-Origin-Resource-Policy',
  'DNT',
  'Date',
  'ETag',
  'Expect',
  'Expires',
  'Forwarded',
  'Host',
  'If-Match',
  'If-Modified-Since',
  'If-None-Match',
  'If-Range',
  'If-Unmodified-Since',
  'Keep-Alive',
  'Last-Modified',
  'Link',
  'Location',
  'Origin',
  'Permissions-Policy',
  'Pragma',
  'Priority',
  'Range',
  'RateLimit',
  'RateLimit-Policy',
  'Referer',
  'Referrer-Policy',
  'Retry-After',
  'Sec-CH-UA',
  'Sec-CH-UA-Mobile',
  'Sec-CH-UA-Platform',
  'Sec-Fetch-Dest',
  'Sec-Fetch-Mode',
  'Sec-Fetch-Site',
  'Sec-Fetch-User',
  'Sec-GPC',
  'Server',
  'Server-Timing',
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
  'WWW-Authenticate',
  'X-API-Key',
  'X-Backend',
  'X-Content-Type-Options',
  'X-Correlation-ID',
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
  'X-User-Email',
  'X-User-ID',
  'X-User-Issuer',
  'X-XSS-Protection',
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

/** Beyond the common ones, for the life of the thread. */
export const LEARNED_MAX = 256;

/** Of a name that is learned, characters. */
const LEARNED_LENGTH_MAX = 64;

/** Makes a name, which is a token, as familiar as the common ones. False where that would be too many, or too long. */
export function learnName(name: string): boolean {
  if (name.length > LEARNED_LENGTH_MAX || LOWER.size === COMMON_SPELLINGS.length + LEARNED_MAX) return false;
  LOWER.set(name, name.toLowerCase());
  return true;
}

/** Whether a name is common or learned. Then it is a token, and there are not many like it. */
export function isFamiliar(name: string): boolean {
  return LOWER.has(name);
}

/** Names of headers, whatever their case. What it says of familiar ones it finds out once. */
export class NameSet {
  readonly #has: (lowerName: string) => boolean;
  readonly #familiar = new Map<string, boolean>();

  constructor(has: (lowerName: string) => boolean) {
    this.#has = has;
  }

  has(name: string): boolean {
    const known = this.#familiar.get(name);
    if (known !== undefined) return known;
    const lowerName = lowerCased(name);
    const has = this.#has(lowerName);
    if (isFamiliar(name)) this.#familiar.set(name, has);
    return has;
  }
}

/** Who has the value of one of these, lower case, may get in with it: it is kept in no table. */
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
