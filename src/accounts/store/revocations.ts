import type { Revocation } from '#core/jwt/revoked-sessions.ts';
import type { RevocationReason } from './contract.ts';
import { type Statement, statement } from './database.ts';

/** One session, or all of a user. */
export type SessionsToEnd = { readonly sessionId: string } | { readonly userId: string };

/**
 * Two statements for one transaction. The first ends the sessions: it waits for rotations under way and
 * shuts out later ones. So the second, which begins after it, sees every access token there will ever be.
 */
export function revokeAndRecord(
  which: SessionsToEnd,
  reason: RevocationReason,
  nowMs: number,
): [Statement<never>, Statement<Revocation>] {
  const [column, id] = columnAndId(which);
  const revoke = statement(
    `UPDATE sessions SET revoked_at = $2, revoked_reason = $3 WHERE ${column} = $1 AND revoked_at IS NULL`,
    id,
    nowMs,
    reason,
  );
  return [revoke, record(which, nowMs)];
}

/**
 * Notes, for as long as any access token of ended sessions lives, what all instances have to refuse. Those
 * ended before are noted and returned again: it may be that nobody was told.
 */
export function record(which: SessionsToEnd, nowMs: number): Statement<Revocation> {
  const [column, id] = columnAndId(which);
  return statement(
    `INSERT INTO revocations (session_id, expires_at, noted_at)
     SELECT s.id, MAX(t.access_expires_at), CAST($2 AS BIGINT)
     FROM sessions s JOIN refresh_tokens t ON t.session_id = s.id
     WHERE s.${column} = $1 AND s.revoked_at IS NOT NULL
     GROUP BY s.id HAVING MAX(t.access_expires_at) > $2
     ON CONFLICT (session_id) DO UPDATE SET expires_at = excluded.expires_at, noted_at = excluded.noted_at
     RETURNING session_id AS "sessionId", expires_at AS "untilMs"`,
    id,
    nowMs,
  );
}

function columnAndId(which: SessionsToEnd): [column: string, id: string] {
  return 'userId' in which ? ['user_id', which.userId] : ['id', which.sessionId];
}
