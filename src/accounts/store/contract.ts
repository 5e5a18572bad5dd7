/**
 * What accounts keep, and must agree on with other instances. The store has no clock and makes no ids: all
 * times (`…Ms`) are whole milliseconds since the Unix epoch, all ids are given. It sees no secret either:
 * passwords and tokens reach it hashed, keys however its caller protects them.
 *
 * Every operation is atomic, and throws `StoreUnavailable` when the database does not answer. Whether it
 * took effect is not known then.
 */

import type { Revocation } from '#core/jwt/revoked-sessions.ts';

/** So many can be ended at once, and remembered by every worker. */
export const SESSIONS_PER_USER_MAX = 250;

/** Rows that one call returns or deletes, of each kind. */
export const PAGE_ROWS_MAX = 500;

export interface AccountStore extends AsyncDisposable {
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly keys: KeyStore;
  readonly throttle: ThrottleStore;
  /** Deletes what has expired, at most PAGE_ROWS_MAX rows of each kind; to be called again while `isMore`. */
  cleanUp(nowMs: number): Promise<CleanUp>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
}

/** Rows after the one that `after` names (null: from the start), at most `limit` and PAGE_ROWS_MAX. */
export type Page = { readonly after: string | null; readonly limit: number };

export type CleanUp = {
  readonly tokens: number;
  readonly sessions: number;
  readonly revocations: number;
  readonly throttles: number;
  readonly keys: number;
  readonly isMore: boolean;
};

export type User = {
  readonly id: string;
  /** Normalised. */
  readonly email: string;
  readonly createdAtMs: number;
  readonly passwordChangedAtMs: number;
  readonly disabledAtMs: number | null;
};

export type UserWithPassword = User & { readonly passwordHash: string };

export type PasswordChange = {
  readonly id: string;
  /** What the password has to be for it to be changed; null: whatever it is. */
  readonly oldHash: string | null;
  readonly newHash: string;
  readonly nowMs: number;
};

export type PasswordChanged = { readonly user: User; readonly revocations: readonly Revocation[] };

export type NewUser = Pick<UserWithPassword, 'id' | 'email' | 'passwordHash' | 'createdAtMs'>;

export interface UserStore {
  create(user: NewUser): Promise<'created' | 'email_taken'>;
  findByEmail(email: string): Promise<UserWithPassword | null>;
  findById(id: string): Promise<UserWithPassword | null>;
  /** In the order in which they were created; `after` is an id. */
  list(page: Page): Promise<User[]>;
  /** The same password, hashed anew. False, and nothing done, when the hash is no longer `oldHash`. */
  rehash(id: string, oldHash: string, newHash: string): Promise<boolean>;
  /**
   * These three end all sessions of the user and return what other instances have to be told; null, and
   * nothing done, when there is no such user, or the password is not what it was.
   */
  changePassword(change: PasswordChange): Promise<PasswordChanged | null>;
  disable(id: string, nowMs: number): Promise<Revocation[] | null>;
  delete(id: string, nowMs: number): Promise<Revocation[] | null>;
  /** False when there is no such user. The sessions stay ended. */
  enable(id: string): Promise<boolean>;
}

export type Session = {
  readonly id: string;
  readonly userId: string;
  readonly createdAtMs: number;
  /** Absolute: no token of the session works later. */
  readonly expiresAtMs: number;
};

export type NewSession = Session & {
  /** As of the user whose password was checked. */
  readonly passwordChangedAtMs: number;
  readonly token: NewToken;
};

export type NewToken = {
  readonly id: string;
  /** SHA-256 of the token. */
  readonly hash: string;
  /** Idle: unless used by then, it is void. Cut to the end of the session. */
  readonly expiresAtMs: number;
  /** When no instance accepts the access token issued with it any more: its `exp` and their leeway. */
  readonly accessExpiresAtMs: number;
};

export type RotationRequest = {
  /** Of the token presented. */
  readonly tokenHash: string;
  readonly nowMs: number;
  readonly successor: NewToken & {
    /** The successor, encrypted so that only who has the token presented can read it. */
    readonly sealed: string;
    /** Until then, the token presented is answered again, unless the successor has been used. */
    readonly graceUntilMs: number;
  };
};

export type Rotation =
  /** The successor of the request is the session's token now. */
  | { readonly outcome: 'rotated'; readonly session: Session; readonly user: User }
  /** An earlier request did it; its answer may be given again, with an access token that ends no later. */
  | {
      readonly outcome: 'repeated';
      readonly session: Session;
      readonly user: User;
      readonly sealed: string;
      readonly accessExpiresAtMs: number;
    }
  /** Somebody has a token that was replaced: the session has to be revoked. */
  | { readonly outcome: 'reused'; readonly session: Session; readonly user: User }
  | { readonly outcome: 'revoked'; readonly session: Session; readonly reason: RevocationReason }
  | { readonly outcome: 'unknown' | 'expired' | 'disabled' };

export type TokenOwner = {
  readonly sessionId: string;
  readonly userId: string;
  /** Whether the token could be renewed now. */
  readonly isGood: boolean;
};

export type NotedRevocation = Revocation & {
  /** By the clock of who noted it. All access tokens of the session were issued before. */
  readonly notedAtMs: number;
};

export type RevocationReason =
  | 'logout'
  | 'logout_all'
  | 'reuse'
  | 'surplus'
  | 'password_changed'
  | 'user_disabled'
  | 'operator';

export interface SessionStore {
  /**
   * Null, and nothing done, when the user is gone, disabled, or has changed the password since. A user with
   * more than SESSIONS_PER_USER_MAX loses the oldest: then what others have to be told is returned.
   */
  create(session: NewSession): Promise<Revocation[] | null>;
  /** Of any number of parallel calls with one token, in any number of instances, one gets `rotated`. */
  rotate(request: RotationRequest): Promise<Rotation>;
  /** Whose a token is or was, whatever has become of it. */
  findByToken(tokenHash: string, nowMs: number): Promise<TokenOwner | null>;
  /** Null when there is nobody to tell: no such session, or no access token of it is left. */
  revoke(id: string, reason: RevocationReason, nowMs: number): Promise<Revocation | null>;
  /** Of one user. Also returns sessions that were revoked before, as long as they have access tokens. */
  revokeAll(userId: string, reason: RevocationReason, nowMs: number): Promise<Revocation[]>;
  /**
   * What an instance has to refuse now that has missed what was announced since a time (0: all); `after` is a
   * session id.
   */
  listRevocations(nowMs: number, sinceMs: number, page: Page): Promise<NotedRevocation[]>;
}

export type SigningKey = {
  readonly kid: string;
  /** The kid of the key before this one; null for the very first. */
  readonly replaces: string | null;
  readonly algorithm: string;
  /** JSON. */
  readonly publicJwk: string;
  /** Whatever the caller made of it. */
  readonly privatePart: string;
  readonly createdAtMs: number;
  /** It is published before, and signs from then on. */
  readonly activatesAtMs: number;
  /** It verifies until then; null: until it has been replaced and retired. */
  readonly retiresAtMs: number | null;
};

export interface KeyStore {
  /** False, and nothing done, when another instance has replaced the same key, or made the first one. */
  add(key: SigningKey): Promise<boolean>;
  /** In the order in which they become active. */
  list(): Promise<SigningKey[]>;
  /** False when there is no such key. It is deleted by the first clean-up after that time. */
  retire(kid: string, atMs: number): Promise<boolean>;
}

/** Failures under one key: an account, an address. The caller decides what they lead to. */
export type Throttle = {
  readonly failures: number;
  readonly blockedUntilMs: number;
  /** The failures are to be forgotten then; a clean-up deletes them some time later. */
  readonly expiresAtMs: number;
};

export interface ThrottleStore {
  /** As it was recorded, even if expired. */
  read(key: string): Promise<Throttle | null>;
  /**
   * Replaces `seen`, which was read, by `next`. False, and nothing done, when somebody else has recorded
   * something since: then read and decide again. So many at once cannot all pass as the first.
   */
  record(key: string, seen: Throttle | null, next: Throttle): Promise<boolean>;
  reset(key: string): Promise<void>;
}
