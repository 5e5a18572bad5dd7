import { quoted } from '../quoted-string.ts';
import type { Auth } from '../table.ts';

/** The value of WWW-Authenticate for a 401; `problem` tells "none were sent" from "these are wrong". */
export function challengeFor(auth: Auth, problem: 'missing' | 'invalid'): string {
  const realm = `realm=${quoted(auth.realm)}`;
  switch (auth.scheme) {
    case 'bearer':
    case 'jwt':
      // Without credentials there is no error to name (RFC 6750 §3.1).
      return problem === 'missing' ? `Bearer ${realm}` : `Bearer ${realm}, error="invalid_token"`;
    case 'basic':
      return `Basic ${realm}, charset="UTF-8"`;
    case 'api_key':
      // No registered scheme fits a key in a header of its own, and a 401 must carry a challenge
      // (RFC 9110 §11.6.1); this one says where the key goes.
      return `ApiKey ${realm}, header=${quoted(auth.header)}`;
  }
}
