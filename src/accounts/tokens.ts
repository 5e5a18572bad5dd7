import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { JwtSettings } from '#core/account-settings.ts';
import type { Clock } from '#core/clock.ts';
import type { SigningKeys } from './keys/signing-keys.ts';

export type TokenSubject = {
  readonly userId: string;
  readonly email: string;
  readonly sessionId: string;
  /** Milliseconds since the Unix epoch: when nobody may accept the token any more. Default: as settings have it. */
  readonly acceptedUntilMs?: number;
};

export type AccessToken = { readonly token: string; readonly expiresInSeconds: number };

/** Issues own access tokens (RFC 9068). */
export class TokenIssuer {
  readonly #settings: JwtSettings;
  readonly #keys: SigningKeys;
  readonly #clock: Clock;

  constructor(settings: JwtSettings, keys: SigningKeys, clock: Clock) {
    this.#settings = settings;
    this.#keys = keys;
    this.#clock = clock;
  }

  /** When a token that is issued now is accepted nowhere any more: milliseconds since the Unix epoch. */
  acceptedUntilMs(): number {
    const { accessTokenSeconds, leewaySeconds } = this.#settings;
    return (this.#nowSeconds() + accessTokenSeconds + leewaySeconds) * 1000;
  }

  /** Rejects with a SignalboxError `signing_key_locked` when there is no key to sign with. */
  async issueAccessToken(subject: TokenSubject): Promise<AccessToken> {
    const { issuer, audience, leewaySeconds } = this.#settings;
    const { alg, kid, key } = this.#keys.signer();
    const iat = this.#nowSeconds();
    const acceptedUntilMs = Math.min(this.acceptedUntilMs(), subject.acceptedUntilMs ?? Infinity);
    const exp = Math.max(iat, Math.floor(acceptedUntilMs / 1000) - leewaySeconds);
    const claims = {
      iss: issuer,
      aud: audience,
      sub: subject.userId,
      email: subject.email,
      sid: subject.sessionId,
      jti: randomUUID(),
      iat,
      nbf: iat,
      exp,
    };
    const token = await new SignJWT(claims).setProtectedHeader({ alg, typ: 'at+jwt', kid }).sign(key);
    return { token, expiresInSeconds: exp - iat };
  }

  #nowSeconds(): number {
    return Math.floor(this.#clock.wallMs() / 1000);
  }
}
