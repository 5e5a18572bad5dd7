import { PAGE_ROWS_MAX, type User, type UserStore, type UserWithPassword } from './contract.ts';
import { condition, type Database, type Statement, statement } from './database.ts';
import { revokeAndRecord } from './revocations.ts';

type Id = { readonly id: string };

const USER = `
  id, email, created_at AS "createdAtMs", password_changed_at AS "passwordChangedAtMs",
  disabled_at AS "disabledAtMs"`;

export function createUserStore(database: Database): UserStore {
  return {
    async create({ id, email, passwordHash, createdAtMs }) {
      const [[user]] = await database.run(
        // Writes in any case: a commit that has nothing to write is quicker, and would tell that there is one.
        statement<Id>(
          `INSERT INTO users (id, email, password_hash, password_changed_at, created_at)
           VALUES ($1, $2, $3, $4, $4) ON CONFLICT (email) DO UPDATE SET email = excluded.email RETURNING id`,
          id,
          email,
          passwordHash,
          createdAtMs,
        ),
      );
      return user?.id === id ? 'created' : 'email_taken';
    },

    async findByEmail(email) {
      const [[user]] = await database.run(selectWithPassword('email', email));
      return user ?? null;
    },

    async findById(id) {
      const [[user]] = await database.run(selectWithPassword('id', id));
      return user ?? null;
    },

    async list({ after, limit }) {
      const [users] = await database.run(
        statement<User>(
          `SELECT ${USER} FROM users WHERE id > $1 ORDER BY id LIMIT $2`,
          after ?? '',
          Math.min(limit, PAGE_ROWS_MAX),
        ),
      );
      return users;
    },

    async rehash(id, oldHash, newHash) {
      const [changed] = await database.run(
        statement<Id>(
          'UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id',
          id,
          oldHash,
          newHash,
        ),
      );
      return changed.length > 0;
    },

    async changePassword({ id, oldHash, newHash, nowMs }) {
      const [[user], , revocations] = await database.run(
        // Later than the last time in any case: who logged in by the old password is told by it.
        condition<User>(
          `UPDATE users SET password_hash = $2, password_changed_at =
             CASE WHEN password_changed_at < $3 THEN $3 ELSE password_changed_at + 1 END
           WHERE id = $1 AND password_hash = COALESCE($4, password_hash) RETURNING ${USER}`,
          id,
          newHash,
          nowMs,
          oldHash,
        ),
        ...revokeAndRecord({ userId: id }, 'password_changed', nowMs),
      );
      return user === undefined ? null : { user, revocations };
    },

    async disable(id, nowMs) {
      const [changed, , revocations] = await database.run(
        disable(id, nowMs),
        ...revokeAndRecord({ userId: id }, 'user_disabled', nowMs),
      );
      return changed.length === 0 ? null : revocations;
    },

    async delete(id, nowMs) {
      const [changed, , revocations] = await database.run(
        disable(id, nowMs),
        ...revokeAndRecord({ userId: id }, 'user_disabled', nowMs),
        statement('DELETE FROM users WHERE id = $1', id),
      );
      return changed.length === 0 ? null : revocations;
    },

    async enable(id) {
      const [changed] = await database.run(
        statement<Id>('UPDATE users SET disabled_at = NULL WHERE id = $1 RETURNING id', id),
      );
      return changed.length > 0;
    },
  };
}

function selectWithPassword(column: 'id' | 'email', value: string): Statement<UserWithPassword> {
  return statement(`SELECT ${USER}, password_hash AS "passwordHash" FROM users WHERE ${column} = $1`, value);
}

/** Comes before the sessions are ended: it locks out a login in between. */
function disable(id: string, nowMs: number): Statement<Id> {
  return condition(
    'UPDATE users SET disabled_at = COALESCE(disabled_at, $2) WHERE id = $1 RETURNING id',
    id,
    nowMs,
  );
}
