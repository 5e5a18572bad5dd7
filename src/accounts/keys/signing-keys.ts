import type { KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import type { Algorithm, VerificationKey } from '#core/jwt/keyring.ts';
import type { KeyState } from './schedule.ts';

/** What a token is signed with now. */
export type Signer = { readonly alg: Algorithm; readonly kid: string; readonly key: KeyObject };

/** A key for people to look at; times are milliseconds since the Unix epoch. */
export type KeyView = {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly state: KeyState;
  readonly isEncrypted: boolean;
  readonly createdAtMs: number;
  readonly activatesAtMs: number;
  readonly retiresAtMs: number | null;
};

/** Our own keys. What they are is as of the last `read`. */
export interface SigningKeys {
  /** Rejects when the database does not answer, or has keys that we cannot use. */
  read(): Promise<readonly VerificationKey[]>;
  /** Throws a SignalboxError `signing_key_locked` when there is a key and we lack its secret. */
  signer(): Signer;
  /** Public parts, for others to verify our tokens by. */
  published(): readonly JWK[];
  list(): readonly KeyView[];
  /** Makes the next key. Rejects with a SignalboxError when this is not the time, or not possible. */
  rotate(): Promise<void>;
}
