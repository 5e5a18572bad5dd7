import { type CleanUp, PAGE_ROWS_MAX } from './contract.ts';
import { type Database, type Statement, statement } from './database.ts';

type Row = { readonly one: number };

/** Each table on its own, so that no lock is held for long. */
export async function cleanUp(database: Database, nowMs: number): Promise<CleanUp> {
  const count = async (batch: Statement<Row>): Promise<number> => (await database.run(batch))[0].length;

  const tokens = await count(deleteTokens(nowMs));
  // Its tokens first, in batches: they would be deleted with it, however many they are.
  const sessions = await count(
    deleteExpired(
      'sessions',
      'id',
      'expires_at <= $1 AND NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE session_id = sessions.id)',
      nowMs,
    ),
  );
  const revocations = await count(deleteExpired('revocations', 'session_id', 'expires_at <= $1', nowMs));
  const throttles = await count(deleteExpired('login_throttle', 'key', 'expires_at <= $1', nowMs));
  const keys = await count(deleteExpired('signing_keys', 'kid', 'retires_at <= $1', nowMs));
  const seals = await count(eraseSeals(nowMs));

  const isMore = [tokens, sessions, revocations, throttles, keys, seals].includes(PAGE_ROWS_MAX);
  return { tokens, sessions, revocations, throttles, keys, isMore };
}

function deleteExpired(table: string, key: string, condition: string, nowMs: number): Statement<Row> {
  return statement(
    `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE ${condition} LIMIT $2)
     RETURNING 1 AS "one"`,
    nowMs,
    PAGE_ROWS_MAX,
  );
}

/**
 * Two kinds have to stay although they are void: one whose access token lives on, in case its session is
 * revoked; and one that replaces a token which is not void yet (it can have got a shorter life than that,
 * from another configuration), because it is what says that the other one has been used.
 */
function deleteTokens(nowMs: number): Statement<Row> {
  return statement(
    `DELETE FROM refresh_tokens WHERE id IN
       (SELECT t.id FROM refresh_tokens t
          LEFT JOIN refresh_tokens p ON p.token_hash = t.replaces AND p.expires_at > $1
        WHERE t.expires_at <= $1 AND t.access_expires_at <= $1 AND p.id IS NULL LIMIT $2)
     RETURNING 1 AS "one"`,
    nowMs,
    PAGE_ROWS_MAX,
  );
}

/** A successor that can no longer be asked for again need not be kept, even encrypted. */
function eraseSeals(nowMs: number): Statement<Row> {
  return statement(
    `UPDATE refresh_tokens SET sealed = NULL WHERE id IN
       (SELECT id FROM refresh_tokens WHERE sealed IS NOT NULL AND grace_until <= $1 LIMIT $2)
     RETURNING 1 AS "one"`,
    nowMs,
    PAGE_ROWS_MAX,
  );
}
