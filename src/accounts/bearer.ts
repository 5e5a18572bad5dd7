import { readCredentials } from '#core/auth/credentials.ts';
import type { Clock } from '#core/clock.ts';
import type { FlatHeaders } from '#core/headers.ts';
import { indexKeys, type Keyring } from '#core/jwt/keyring.ts';
import { isSigned } from '#core/jwt/signature.ts';
import { verifyToken } from '#core/jwt/verify.ts';
import type { Auth } from '#core/table.ts';

/** Whose session a request speaks for. */
export type Bearer = { readonly userId: string; readonly sessionId: string; readonly iat: number };

const OWN: Auth = { scheme: 'jwt', realm: 'signalbox', forwardCredentials: false };

/**
 * The session that the access token in `Authorization` names; null without one that is good and our own.
 * It may have been revoked.
 */
export function readBearer(headers: FlatHeaders, keyring: Keyring, clock: Clock): Bearer | null {
  const credentials = readCredentials(OWN, headers);
  if ('problem' in credentials) return null;
  const keys = indexKeys(keyring);
  const result = verifyToken(credentials.token, keys, keyring.leewaySeconds, clock.wallMs(), isSigned);
  if (result.outcome !== 'valid' || result.claims.sid === null) return null;
  const { sub, sid, iat } = result.claims;
  return { userId: sub, sessionId: sid, iat };
}
