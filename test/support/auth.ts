import { hash } from 'node:crypto';
import type { Auth } from '#core/table.ts';
import type { AccessTokens } from '#http/auth/authenticator.ts';

type AuthBy<Scheme extends Auth['scheme']> = Extract<Auth, { scheme: Scheme }>;

/** What only one scheme has. */
const BY_SCHEME = { bearer: {}, basic: { users: {} }, api_key: { header: 'x-api-key' }, jwt: {} };

/** A route's `auth` that accepts `tokens`, with what else a test cares for; `bearer` unless it says so. */
export function authOf<Scheme extends Auth['scheme'] = 'bearer'>(
  tokens: readonly string[],
  others: Partial<AuthBy<Scheme>> & { readonly scheme?: Scheme } = {},
): AuthBy<Scheme> {
  const scheme = others.scheme ?? 'bearer';
  const tokenDigests = tokens.map((token) => hash('sha256', token));
  const auth: unknown = {
    scheme,
    realm: 'signalbox',
    forwardCredentials: false,
    ...(scheme === 'jwt' ? {} : { tokenDigests }),
    ...BY_SCHEME[scheme],
    ...others,
  };
  return auth as AuthBy<Scheme>;
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Accepts no access token. */
export const NO_TOKENS: AccessTokens = { verify: () => null };
