import { type CredentialsProblem, readCredentials } from '#core/auth/credentials.ts';
import { refuseCredentials } from '#core/auth/refusal.ts';
import type { Clock } from '#core/clock.ts';
import { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import { indexKeys, type Keyring } from '#core/jwt/keyring.ts';
import { isSigned } from '#core/jwt/signature.ts';
import { TokenClock } from '#core/jwt/token-clock.ts';
import { verifyToken } from '#core/jwt/verify.ts';
import type { Refusal } from '#core/refusals.ts';
import type { Auth } from '#core/table.ts';
import type { Revocations } from './revocations.ts';

/** Whose session a request speaks for. */
export type Bearer = {
  readonly userId: string;
  readonly sessionId: string;
  /** Whether that session has ended: good for nothing but to be ended once more. */
  readonly isRevoked: boolean;
};

const OWN: Auth = { scheme: 'jwt', realm: 'signalbox', forwardCredentials: false };

/** Reads the access token in `Authorization`, which has to be good and our own. */
export class Bearers {
  readonly #keyring: () => Keyring;
  readonly #revocations: Pick<Revocations, 'has'>;
  readonly #clock: TokenClock;

  constructor(keyring: () => Keyring, revocations: Pick<Revocations, 'has'>, clock: Clock) {
    this.#keyring = keyring;
    this.#revocations = revocations;
    this.#clock = new TokenClock(clock);
  }

  read(headers: FlatHeaders): Bearer | CredentialsProblem {
    const credentials = readCredentials(OWN, Fields.of(headers));
    if ('problem' in credentials) return credentials.problem;
    const keyring = this.#keyring();
    const nowMs = this.#clock.nowMs();
    const keys = indexKeys(keyring);
    const result = verifyToken(credentials.token, keys, keyring.leewaySeconds, nowMs, isSigned);
    if (result.outcome !== 'valid' || result.claims.sid === null) return 'malformed';
    const { sub, sid, iat } = result.claims;
    return { userId: sub, sessionId: sid, isRevoked: this.#revocations.has(sid, iat) };
  }
}

/** For a request that needs a bearer and has none, or one whose session has ended. */
export function refusalFor(bearer: Bearer | CredentialsProblem): Refusal {
  return refuseCredentials(OWN, typeof bearer === 'object' ? 'credentials_invalid' : bearer);
}
