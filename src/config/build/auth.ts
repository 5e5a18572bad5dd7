import { hash } from 'node:crypto';
import type { z } from 'zod';
import type { Auth } from '#core/table.ts';
import { type Auth as AuthSchema, DIGEST } from '../schema/auth.ts';

export type AuthConfig = z.output<typeof AuthSchema>;

export function buildAuth(auth: AuthConfig): Auth {
  return {
    scheme: auth.auth_type,
    tokenDigests: auth.valid_tokens.map(digestOf),
    // Names are compared in Unicode's composed form, the one that they are brought to on arrival.
    users: Object.fromEntries(
      Object.entries(auth.valid_users).map(([name, passwordHash]) => [name.normalize('NFC'), passwordHash]),
    ),
    apiKeyHeader: auth.api_key_header.toLowerCase(),
    realm: auth.realm,
    forwardCredentials: auth.forward_credentials,
  };
}

/** The table holds no tokens, only what they can be recognised by. */
function digestOf(token: string): string {
  return DIGEST.exec(token)?.[1]?.toLowerCase() ?? hash('sha256', token, 'hex');
}
