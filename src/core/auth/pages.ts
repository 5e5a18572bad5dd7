/** Where people make accounts, log in and log out, and where our public keys are. */

export const AUTH_ROOT = '/auth';

const NAMES = ['register', 'login', 'refresh', 'logout', 'logout-all', 'password'] as const;

export type AuthPath = `${typeof AUTH_ROOT}/${(typeof NAMES)[number]}`;

/** Each takes a small JSON document that is posted to it. */
export const AUTH_PATHS: readonly AuthPath[] = NAMES.map((name) => `${AUTH_ROOT}/${name}` as const);

/** Public keys for others to verify our tokens by (RFC 8615, RFC 8414 §2). */
export const JWKS_PATH = '/.well-known/jwks.json';
