import type { KeyObject } from 'node:crypto';
import type { Algorithm } from './keyring.ts';

/** NIST SP 800-131A; the upper bound keeps a verification under a millisecond. */
export const RSA_BITS_MIN = 2048;
export const RSA_BITS_MAX = 8192;

/** The one algorithm that a public key is used with here, or null if there is none. */
export function algorithmOf(key: KeyObject): Exclude<Algorithm, 'HS256'> | null {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return 'EdDSA';
    case 'ec':
      return namedCurve === 'prime256v1' ? 'ES256' : null;
    case 'rsa':
      return modulusLength >= RSA_BITS_MIN && modulusLength <= RSA_BITS_MAX ? 'RS256' : null;
    default:
      return null;
  }
}
