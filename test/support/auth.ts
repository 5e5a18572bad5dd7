import { hash } from 'node:crypto';
import type { Auth } from '#core/table.ts';
import type { AccessTokens } from '#http/auth/authenticator.ts';

/** A route's `auth` that accepts `tokens`, with what else a test cares for. */
export function authOf(tokens: readonly string[], others: Partial<Auth> = {}): Auth {
  return {
    scheme: 'bearer',
    tokenDigests: tokens.map((token) => hash('sha256', token)),
    users: {},
    apiKeyHeader: 'x-api-key',
    realm: 'signalbox',
    forwardCredentials: false,
    ...others,
  };
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Accepts no access token. */
export const NO_TOKENS: AccessTokens = { verify: () => null };
