import { hash } from 'node:crypto';
import type { z } from 'zod';
import { normalForm } from '#core/auth/login.ts';
import type { Auth } from '#core/table.ts';
import { type Auth as AuthSchema, DIGEST } from '../schema/auth.ts';

export type AuthConfig = z.output<typeof AuthSchema>;

export function buildAuth(auth: AuthConfig): Auth {
  const common = { realm: auth.realm, forwardCredentials: auth.forward_credentials };
  const tokenDigests = auth.valid_tokens.map(digestOf);
  switch (auth.auth_type) {
    case 'jwt':
      return { ...common, scheme: 'jwt' };
    case 'bearer':
      return { ...common, scheme: 'bearer', tokenDigests };
    case 'basic':
      return { ...common, scheme: 'basic', tokenDigests, users: composed(auth.valid_users) };
    case 'api_key':
      return { ...common, scheme: 'api_key', tokenDigests, header: auth.api_key_header.toLowerCase() };
  }
}

/** Names are compared in Unicode's composed form, the one that they are brought to on arrival. */
function composed(users: AuthConfig['valid_users']): Record<string, string> {
  return Object.fromEntries(Object.entries(users).map(([name, hash]) => [normalForm(name), hash]));
}

/** The table holds no tokens, only what they can be recognised by. */
function digestOf(token: string): string {
  return DIGEST.exec(token)?.[1]?.toLowerCase() ?? hash('sha256', token, 'hex');
}
