import type { KeyStore, SigningKey } from './contract.ts';
import { type Database, statement } from './database.ts';

/** What the first key replaces: text, because any number of nulls would be unique. */
const NONE = '';

export function createKeyStore(database: Database): KeyStore {
  return {
    async add(key) {
      const [added] = await database.run(
        statement<{ kid: string }>(
          `INSERT INTO signing_keys
             (kid, replaces, algorithm, public_jwk, private_part, created_at, activates_at, retires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT (replaces) DO NOTHING RETURNING kid`,
          key.kid,
          key.replaces ?? NONE,
          key.algorithm,
          key.publicJwk,
          key.privatePart,
          key.createdAtMs,
          key.activatesAtMs,
          key.retiresAtMs,
        ),
      );
      return added.length > 0;
    },

    async list() {
      const [keys] = await database.run(
        statement<SigningKey>(
          `SELECT kid, NULLIF(replaces, '${NONE}') AS "replaces", algorithm, public_jwk AS "publicJwk",
             private_part AS "privatePart", created_at AS "createdAtMs", activates_at AS "activatesAtMs",
             retires_at AS "retiresAtMs"
           FROM signing_keys ORDER BY activates_at, created_at, kid`,
        ),
      );
      return keys;
    },

    async retire(kid, atMs) {
      const [retired] = await database.run(
        statement<{ kid: string }>(
          'UPDATE signing_keys SET retires_at = $2 WHERE kid = $1 RETURNING kid',
          kid,
          atMs,
        ),
      );
      return retired.length > 0;
    },
  };
}
