import { createPublicKey, type webcrypto } from 'node:crypto';
import { z } from 'zod';
import { SignalboxError } from '#core/errors.ts';
import { algorithmOf } from '#core/jwt/algorithm.ts';
import { KID_LENGTH_MAX } from '#core/jwt/compact.ts';
import type { VerificationKey } from '#core/jwt/keyring.ts';

const KeySet = z.object({ keys: z.array(z.unknown()) });

/** A public key for signatures (RFC 7517 §4). One that shows its private part protects nothing any more. */
const PublicJwk = z.object({
  kty: z.enum(['OKP', 'EC', 'RSA']),
  kid: z.string().min(1).max(KID_LENGTH_MAX),
  use: z.literal('sig').optional(),
  key_ops: z
    .array(z.string())
    .refine((operations) => operations.includes('verify'))
    .optional(),
  alg: z.string().optional(),
  d: z.undefined().optional(),
  crv: z.string().optional(),
  x: z.string().optional(),
  y: z.string().optional(),
  n: z.string().optional(),
  e: z.string().optional(),
});

/**
 * Reads a JWK Set (RFC 7517 §5). Keys of other kinds or for other uses are passed over, as are those with a
 * name that came before. Throws a SignalboxError `jwks_invalid` for anything that is no such set.
 */
export function readJwks(text: string): VerificationKey[] {
  const set = KeySet.safeParse(parse(text));
  if (!set.success) throw new SignalboxError('jwks_invalid', 'operator', 'what was read is no JWK set');
  const keys = new Map<string, VerificationKey>();
  for (const jwk of set.data.keys) {
    const key = readKey(jwk);
    if (key !== null && !keys.has(key.kid)) keys.set(key.kid, key);
  }
  return [...keys.values()];
}

/** The key's algorithm is what its own parts make it; `alg` may only say the same. */
function readKey(jwk: unknown): VerificationKey | null {
  const parsed = PublicJwk.safeParse(jwk);
  if (!parsed.success) return null;
  const { kid, alg: said, kty, crv, x, y, n, e } = parsed.data;
  try {
    const key = createPublicKey({ key: withoutGaps({ kty, crv, x, y, n, e }), format: 'jwk' });
    const alg = algorithmOf(key);
    return alg === null || (said !== undefined && said !== alg) ? null : { kid, alg, key };
  } catch {
    return null;
  }
}

function withoutGaps(jwk: Readonly<Record<string, string | undefined>>): webcrypto.JsonWebKey {
  return Object.fromEntries(Object.entries(jwk).filter(([, value]) => value !== undefined));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
