import { createHmac, type KeyObject } from 'node:crypto';
import { SignalboxError } from '#core/errors.ts';
import type { SigningKeys } from './signing-keys.ts';

/** Characters of the key's name. It says nothing of the secret that a token's signature does not. */
const KID_LENGTH = 22;

/** HS256: one secret from the configuration signs and verifies, and nobody else is told. */
export function sharedSecret(key: KeyObject): SigningKeys {
  const kid = createHmac('sha256', key).update('signalbox kid 1').digest('base64url').slice(0, KID_LENGTH);
  const signer = { alg: 'HS256', kid, key } as const;
  return {
    read: async () => [signer],
    signer: () => signer,
    published: () => [],
    list: () => [
      {
        kid,
        algorithm: 'HS256',
        state: 'signing',
        isEncrypted: false,
        createdAtMs: 0,
        activatesAtMs: 0,
        retiresAtMs: null,
      },
    ],
    rotate: () => Promise.reject(notRotated()),
  };
}

function notRotated(): SignalboxError {
  return new SignalboxError(
    'rotation_impossible',
    'operator',
    'tokens are signed with the secret of the configuration: put another one there (jwt.secret or JWT_SECRET) and restart',
  );
}
