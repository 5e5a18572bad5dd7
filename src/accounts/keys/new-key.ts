import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import type { SigningKey } from '#accounts/store/contract.ts';
import { writePrivatePart } from './private-part.ts';

export type NewKey = {
  /** The kid of the key before, or null. */
  readonly replaces: string | null;
  readonly createdAtMs: number;
  readonly activatesAtMs: number;
};

/** Makes an Ed25519 key (RFC 8037), which is called by its thumbprint (RFC 7638). */
export async function makeSigningKey(
  { replaces, createdAtMs, activatesAtMs }: NewKey,
  secret: KeyObject | null,
): Promise<SigningKey> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return {
    kid,
    replaces,
    algorithm: 'EdDSA',
    publicJwk: JSON.stringify(jwk),
    privatePart: writePrivatePart(privateKey, kid, secret),
    createdAtMs,
    activatesAtMs,
    retiresAtMs: null,
  };
}
