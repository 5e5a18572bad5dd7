import type { JwtSettings } from '#core/account-settings.ts';
import type { Clock } from '#core/clock.ts';
import type { Log } from '#telemetry/log.ts';
import type { Bearer } from './bearer.ts';
import { type Caller, note } from './parts.ts';
import { digestOf, newRefreshToken, seal, unseal } from './refresh-tokens.ts';
import type { Revocations } from './revocations.ts';
import type { Session, SessionStore, TokenOwner, User } from './store/contract.ts';
import type { AccessToken, TokenIssuer } from './tokens.ts';
import { newUuid } from './uuid.ts';

/** What a client gets for a login or a refresh token. */
export type Grant = {
  readonly user: Pick<User, 'id' | 'email'>;
  readonly access: AccessToken;
  readonly refreshToken: string;
};

/**
 * What is stored of an access token's end has to hold although the token is issued after that, when the
 * database has answered; for longer than that takes, the token ends earlier.
 */
export const ISSUE_MS_MAX = 10_000;

type Lifetimes = Pick<JwtSettings, 'refreshTokenSeconds' | 'sessionSeconds' | 'refreshGraceSeconds'>;

/** Sessions from login to logout. Methods reject with StoreUnavailable, having done all or nothing. */
export class Sessions {
  readonly #lifetimes: Lifetimes;
  readonly #store: SessionStore;
  readonly #tokens: TokenIssuer;
  readonly #revocations: Revocations;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(
    lifetimes: Lifetimes,
    store: SessionStore,
    tokens: TokenIssuer,
    revocations: Revocations,
    clock: Clock,
    log: Log,
  ) {
    this.#lifetimes = lifetimes;
    this.#store = store;
    this.#tokens = tokens;
    this.#revocations = revocations;
    this.#clock = clock;
    this.#log = log;
  }

  /** Null when the user was disabled, deleted, or changed the password, since it was looked up. */
  async begin(user: Pick<User, 'id' | 'email' | 'passwordChangedAtMs'>): Promise<Grant | null> {
    const nowMs = this.#clock.wallMs();
    const id = newUuid(nowMs);
    const acceptedUntilMs = this.#tokens.acceptedUntilMs() + ISSUE_MS_MAX;
    const access = await this.#tokens.issueAccessToken({
      userId: user.id,
      email: user.email,
      sessionId: id,
      acceptedUntilMs,
    });
    const { refreshToken, stored } = this.#newToken(nowMs, acceptedUntilMs);
    const surplus = await this.#store.create({
      id,
      userId: user.id,
      createdAtMs: nowMs,
      expiresAtMs: nowMs + this.#lifetimes.sessionSeconds * 1000,
      passwordChangedAtMs: user.passwordChangedAtMs,
      token: stored,
    });
    if (surplus === null) return null;
    this.#revocations.announce(surplus);
    return { user, access, refreshToken };
  }

  /** The next tokens of the session that a refresh token belongs to; null when it is not accepted. */
  async refresh(refreshToken: string): Promise<Grant | null> {
    const tokenHash = digestOf(refreshToken);
    if (tokenHash === null) return null;
    const nowMs = this.#clock.wallMs();
    const acceptedUntilMs = this.#tokens.acceptedUntilMs() + ISSUE_MS_MAX;
    const next = this.#newToken(nowMs, acceptedUntilMs);
    const rotation = await this.#store.rotate({
      tokenHash,
      nowMs,
      successor: {
        ...next.stored,
        sealed: seal(next.refreshToken, refreshToken),
        graceUntilMs: nowMs + this.#lifetimes.refreshGraceSeconds * 1000,
      },
    });
    switch (rotation.outcome) {
      case 'rotated':
        return this.#grant(rotation, next.refreshToken, acceptedUntilMs);
      case 'repeated':
        return this.#grant(rotation, unseal(rotation.sealed, refreshToken), rotation.accessExpiresAtMs);
      case 'reused':
        this.#log.warn(
          { user_id: rotation.user.id, session_id: rotation.session.id },
          'a refresh token came twice: somebody else has it; its session is revoked',
        );
        await this.#end(rotation.session.id, 'reuse');
        return null;
      default:
        return null;
    }
  }

  /** Ends the sessions that a client can name; it does not matter whether there are any. */
  async logOut(refreshToken: string | null, bearer: Bearer | null, caller: Caller): Promise<void> {
    const owner = await this.#find(refreshToken);
    const ids = new Set([owner?.sessionId, bearer?.sessionId].filter((id) => id !== undefined));
    for (const id of ids) await this.#end(id, 'logout');
    const userId = owner?.userId ?? bearer?.userId;
    if (userId !== undefined) note(this.#log, 'logged out', caller, userId);
  }

  /** Ends all sessions of a client's user. False, and nothing done, when the client has shown no live one. */
  async logOutAll(refreshToken: string | null, bearer: Bearer | null, caller: Caller): Promise<boolean> {
    const owner = await this.#find(refreshToken);
    const userId = owner?.isGood ? owner.userId : bearer?.userId;
    if (userId === undefined) return false;
    this.#revocations.announce(await this.#store.revokeAll(userId, 'logout_all', this.#clock.wallMs()));
    note(this.#log, 'logged out everywhere', caller, userId);
    return true;
  }

  async #find(refreshToken: string | null): Promise<TokenOwner | null> {
    const tokenHash = refreshToken === null ? null : digestOf(refreshToken);
    return tokenHash === null ? null : this.#store.findByToken(tokenHash, this.#clock.wallMs());
  }

  async #end(id: string, reason: 'logout' | 'reuse'): Promise<void> {
    const revocation = await this.#store.revoke(id, reason, this.#clock.wallMs());
    if (revocation !== null) this.#revocations.announce([revocation]);
  }

  async #grant(
    { session, user }: { readonly session: Session; readonly user: User },
    refreshToken: string,
    acceptedUntilMs: number,
  ): Promise<Grant> {
    const subject = { userId: user.id, email: user.email, sessionId: session.id, acceptedUntilMs };
    return { user, access: await this.#tokens.issueAccessToken(subject), refreshToken };
  }

  #newToken(nowMs: number, accessExpiresAtMs: number) {
    const refreshToken = newRefreshToken();
    const hash = digestOf(refreshToken);
    if (hash === null) throw new TypeError('a new refresh token has the form of one');
    const expiresAtMs = nowMs + this.#lifetimes.refreshTokenSeconds * 1000;
    return { refreshToken, stored: { id: newUuid(nowMs), hash, expiresAtMs, accessExpiresAtMs } };
  }
}
