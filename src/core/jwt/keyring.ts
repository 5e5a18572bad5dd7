import type { KeyObject } from 'node:crypto';

/** Every algorithm that a token may be signed with, here or by another issuer (RFC 7518 §3.1, RFC 8037). */
export type Algorithm = 'EdDSA' | 'ES256' | 'RS256' | 'HS256';

/** A key says itself what it is used with: a token cannot choose (RFC 8725 §3.1). */
export type VerificationKey = {
  readonly kid: string;
  readonly alg: Algorithm;
  /** Public, or the secret of HS256. */
  readonly key: KeyObject;
};

/** Who may issue tokens, for whom, and by which keys they are known (RFC 8725 §3.8, §3.9). */
export type TrustedIssuer = {
  readonly issuer: string;
  readonly audience: string;
  /** Whether that is us: then tokens are access tokens of sessions, which can be revoked. */
  readonly isOwn: boolean;
  readonly keys: readonly VerificationKey[];
};

/** All that workers verify tokens by, as one message. */
export type Keyring = {
  /** Grows with each change. */
  readonly revision: number;
  /** Allowed between clocks. */
  readonly leewaySeconds: number;
  readonly issuers: readonly TrustedIssuer[];
};

export type IndexedIssuer = {
  readonly trusted: TrustedIssuer;
  readonly keys: ReadonlyMap<string, VerificationKey>;
};

/** A keyring by issuer, and each issuer's keys by `kid`. */
export type KeyIndex = ReadonlyMap<string, IndexedIssuer>;

export function indexKeys({ issuers }: Keyring): KeyIndex {
  return new Map(
    issuers.map((trusted) => {
      const keys = new Map(trusted.keys.map((key) => [key.kid, key]));
      return [trusted.issuer, { trusted, keys }];
    }),
  );
}
