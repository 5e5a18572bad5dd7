import {
  type NotedRevocation,
  PAGE_ROWS_MAX,
  SESSIONS_PER_USER_MAX,
  type SessionStore,
  type TokenOwner,
} from './contract.ts';
import { condition, type Database, statement } from './database.ts';
import { record, revokeAndRecord } from './revocations.ts';
import { rotate } from './rotation.ts';

export function createSessionStore(database: Database): SessionStore {
  return {
    async create({ id, userId, createdAtMs, expiresAtMs, passwordChangedAtMs, token }) {
      const [created, , , revocations] = await database.run(
        // The lock makes whoever disables the user wait, and then find this session.
        condition<{ id: string }>(
          `INSERT INTO sessions (id, user_id, created_at, expires_at)
           SELECT CAST($1 AS TEXT), u.id, CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM users u
           WHERE u.id = $2 AND u.disabled_at IS NULL AND u.password_changed_at = $5
           FOR SHARE OF u
           RETURNING id`,
          id,
          userId,
          createdAtMs,
          expiresAtMs,
          passwordChangedAtMs,
        ),
        statement(
          `INSERT INTO refresh_tokens
             (id, session_id, token_hash, issued_at, expires_at, access_expires_at)
           SELECT CAST($2 AS TEXT), s.id, CAST($3 AS TEXT), s.created_at,
             CASE WHEN s.expires_at < $4 THEN s.expires_at ELSE $4 END, CAST($5 AS BIGINT)
           FROM sessions s WHERE s.id = $1`,
          id,
          token.id,
          token.hash,
          token.expiresAtMs,
          token.accessExpiresAtMs,
        ),
        // Ids sort by time.
        condition<{ id: string }>(
          `UPDATE sessions SET revoked_at = $2, revoked_reason = 'surplus'
           WHERE user_id = $1 AND revoked_at IS NULL AND id <=
             (SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL
              ORDER BY id DESC LIMIT 1 OFFSET $3)
           RETURNING id`,
          userId,
          createdAtMs,
          SESSIONS_PER_USER_MAX,
        ),
        record({ userId }, createdAtMs),
      );
      return created.length === 0 ? null : revocations;
    },

    rotate: (request) => rotate(database, request),

    async findByToken(tokenHash, nowMs) {
      const [[owner]] = await database.run(
        statement<Omit<TokenOwner, 'isGood'> & { isGood: boolean | number }>(
          `SELECT s.id AS "sessionId", s.user_id AS "userId",
             n.id IS NULL AND t.expires_at > $2 AND s.expires_at > $2
               AND s.revoked_at IS NULL AND u.disabled_at IS NULL AS "isGood"
           FROM refresh_tokens t
             JOIN sessions s ON s.id = t.session_id
             JOIN users u ON u.id = s.user_id
             LEFT JOIN refresh_tokens n ON n.replaces = t.token_hash
           WHERE t.token_hash = $1`,
          tokenHash,
          nowMs,
        ),
      );
      // SQLite has no booleans.
      return owner === undefined ? null : { ...owner, isGood: Boolean(owner.isGood) };
    },

    async revoke(id, reason, nowMs) {
      const [, [revocation]] = await database.run(...revokeAndRecord({ sessionId: id }, reason, nowMs));
      return revocation ?? null;
    },

    async revokeAll(userId, reason, nowMs) {
      const [, revocations] = await database.run(...revokeAndRecord({ userId }, reason, nowMs));
      return revocations;
    },

    async listRevocations(nowMs, sinceMs, { after, limit }) {
      const [revocations] = await database.run(
        statement<NotedRevocation>(
          `SELECT session_id AS "sessionId", expires_at AS "untilMs", noted_at AS "notedAtMs" FROM revocations
           WHERE expires_at > $1 AND noted_at >= $2 AND session_id > $3 ORDER BY session_id LIMIT $4`,
          nowMs,
          sinceMs,
          after ?? '',
          Math.min(limit, PAGE_ROWS_MAX),
        ),
      );
      return revocations;
    },
  };
}
