import type { Identity } from '#actors/request/steps.ts';
import type { Clock } from '#core/clock.ts';
import { type AccessClaims, holdsAt } from '#core/jwt/claims.ts';
import { indexKeys, type KeyIndex, type Keyring } from '#core/jwt/keyring.ts';
import { type Revoked, RevokedSessions } from '#core/jwt/revoked-sessions.ts';
import { type IsSigned, isSigned } from '#core/jwt/signature.ts';
import { TokenClock } from '#core/jwt/token-clock.ts';
import { type Verification, verifyToken } from '#core/jwt/verify.ts';
import type { MissingKeys } from './missing-keys.ts';
import { VerifiedTokens } from './verified-tokens.ts';

/** Who a token says its bearer is; null when the token is not accepted, which is all that is told. */
export type Bearer = Identity | null;

type Verified = { readonly claims: AccessClaims; readonly identity: Identity };

/**
 * Verifies access tokens in a worker. What was verified once is remembered, and costs no cryptography the
 * next time; time and revocation are judged every time.
 */
export class TokenVerifier {
  readonly #verified = new VerifiedTokens<Verified>();
  readonly #revoked = new RevokedSessions();
  readonly #missing: MissingKeys;
  readonly #clock: TokenClock;
  readonly #isSigned: IsSigned;
  #keyring: Keyring;
  #keys: KeyIndex;

  constructor(keyring: Keyring, missing: MissingKeys, clock: Clock, check: IsSigned = isSigned) {
    this.#keyring = keyring;
    this.#keys = indexKeys(keyring);
    this.#missing = missing;
    this.#clock = new TokenClock(clock);
    this.#isSigned = check;
  }

  /** At once, unless the token's issuer may have a key that has to be asked for. */
  verify(token: string): Bearer | Promise<Bearer> {
    const nowMs = this.#clock.nowMs();
    const known = this.#verified.get(token);
    if (known !== undefined) return this.#judge(known, nowMs);

    const result = this.#verifyAnew(token, nowMs);
    if (result.outcome !== 'unknown_key') return this.#conclude(token, result, nowMs);
    const answered = this.#missing.wait(result.issuer);
    return answered === null ? null : answered.then(() => this.#verifyAgain(token));
  }

  /** Takes over another keyring. Tokens that were verified by keys of the old one are verified anew. */
  useKeyring(keyring: Keyring): void {
    if (keyring.revision !== this.#keyring.revision) {
      this.#keyring = keyring;
      this.#keys = indexKeys(keyring);
      this.#verified.clear();
    }
    this.#missing.answered();
  }

  revoke(revoked: Revoked): void {
    this.#revoked.add(revoked, this.#clock.nowMs());
  }

  /** A key that is still unknown is not asked for again. */
  #verifyAgain(token: string): Bearer {
    const nowMs = this.#clock.nowMs();
    return this.#conclude(token, this.#verifyAnew(token, nowMs), nowMs);
  }

  #verifyAnew(token: string, nowMs: number): Verification {
    return verifyToken(token, this.#keys, this.#keyring.leewaySeconds, nowMs, this.#isSigned);
  }

  #conclude(token: string, result: Verification, nowMs: number): Bearer {
    if (result.outcome !== 'valid') return null;
    const { claims } = result;
    const verified = { claims, identity: identityOf(claims) };
    this.#verified.add(token, verified);
    return this.#judge(verified, nowMs);
  }

  #judge({ claims, identity }: Verified, nowMs: number): Bearer {
    const { sid, iat } = claims;
    if (!holdsAt(claims, nowMs, this.#keyring.leewaySeconds)) return null;
    return sid !== null && this.#revoked.has(sid, iat) ? null : identity;
  }
}

/** Issuers do not know of each other's users, so the users of another one are called by its name, too. */
function identityOf({ iss, sub, email, sid }: AccessClaims): Identity {
  const user = sid === null ? `${iss} ${sub}` : sub;
  return { key: `user:${user}`, user, apiKeyDigest: null, claims: { sub, email, iss } };
}
