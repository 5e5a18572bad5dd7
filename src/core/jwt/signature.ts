import { constants, createHmac, timingSafeEqual, verify } from 'node:crypto';
import type { VerificationKey } from './keyring.ts';

/** Whether `signature` is that of `signed` under `key`, by the key's own algorithm. */
export type IsSigned = (key: VerificationKey, signed: Buffer, signature: Buffer) => boolean;

/**
 * Synchronous: measured, Ed25519 takes 70 µs so and 84 µs through promises, on the same core either way.
 */
export const isSigned: IsSigned = ({ alg, key }, signed, signature) => {
  switch (alg) {
    case 'EdDSA':
      return verify(null, signed, key, signature);
    case 'ES256':
      // Two numbers of 32 bytes, with nothing that tells where they begin (RFC 7518 §3.4).
      return verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'RS256':
      return verify('sha256', signed, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
    case 'HS256': {
      const mac = createHmac('sha256', key).update(signed).digest();
      return signature.length === mac.length && timingSafeEqual(signature, mac);
    }
  }
};
