/** Settings of accounts and tokens, which only the control plane knows. */
import type { KeyObject } from 'node:crypto';
import type { VerificationKey } from './jwt/keyring.ts';

export type JwtSettings = {
  /** What own tokens say of their issuer and audience. */
  readonly issuer: string;
  readonly audience: string;
  /** Signs with HS256; null: EdDSA, with keys that the program makes and keeps in the database. */
  readonly secret: KeyObject | null;
  /** Encrypts the private parts of those; null: they are kept as they are. */
  readonly keySecret: KeyObject | null;
  readonly accessTokenSeconds: number;
  /** Until a session ends that is not used. */
  readonly refreshTokenSeconds: number;
  /** Until a session ends, used or not. */
  readonly sessionSeconds: number;
  /** How long a refresh token that was used is answered again with what it was answered first. */
  readonly refreshGraceSeconds: number;
  /** Allowed between clocks; at most 60. */
  readonly leewaySeconds: number;
  readonly issuers: readonly IssuerSettings[];
};

/** Another issuer whose tokens are accepted. */
export type IssuerSettings = {
  readonly issuer: string;
  readonly audience: string;
  readonly keys:
    | { readonly kind: 'remote'; readonly uri: string }
    | { readonly kind: 'fixed'; readonly key: VerificationKey };
};

export type AccountSettings = {
  /** Whether registering tells that an email is taken. */
  readonly isRegisterRevealing: boolean;
  readonly password: PasswordRules;
  readonly throttle: ThrottleSettings;
};

/** For new passwords. */
export type PasswordRules = {
  /** Characters. */
  readonly lengthMin: number;
  /** Upper case, lower case and a digit. */
  readonly mustMix: boolean;
  readonly commonPasswords: readonly string[];
};

export type ThrottleSettings = {
  /** Failures of one account without delay. */
  readonly attemptsMax: number;
  /** Failures of one client address without delay. */
  readonly attemptsPerIpMax: number;
  readonly delayMsMax: number;
  /** Without a failure, until all are forgotten. */
  readonly forgetMs: number;
};

/** Where accounts and signing keys are kept. */
export type DatabaseSettings = SqliteSettings | PostgresSettings;

export type SqliteSettings = { readonly kind: 'sqlite'; readonly file: string };

export type PostgresSettings = {
  readonly kind: 'postgres';
  /** Holds a password: never to be shown. */
  readonly url: string;
  readonly connectionsMax: number;
  /** Kept open when idle. */
  readonly connectionsMin: number;
};
