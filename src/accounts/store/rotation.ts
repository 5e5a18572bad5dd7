/**
 * The rotation of refresh tokens (RFC 9700 §4.14.2): one statement that decides, and one that explains.
 *
 * `claim` adds the successor if the token presented may be used. The database's unique constraint on the
 * token that a successor replaces is the proof that no token ever has two, whatever happens in parallel.
 * `explain` then reads how things stand, which says to a loser why.
 */

import type { RevocationReason, Rotation, RotationRequest, Session, User } from './contract.ts';
import { type Database, type Statement, statement } from './database.ts';

/** A token with all that surrounds it, flat as the row comes. */
type Standing = {
  readonly sessionId: string;
  readonly sessionCreatedAtMs: number;
  readonly sessionExpiresAtMs: number;
  readonly revokedReason: RevocationReason | null;
  readonly userId: string;
  readonly email: string;
  readonly userCreatedAtMs: number;
  readonly passwordChangedAtMs: number;
  readonly disabledAtMs: number | null;
  readonly successorId: string | null;
  readonly sealed: string | null;
  readonly graceUntilMs: number | null;
  readonly accessExpiresAtMs: number | null;
  /** The successor's own successor. */
  readonly secondSuccessorId: string | null;
};

export async function rotate(database: Database, request: RotationRequest): Promise<Rotation> {
  const [claimed] = await database.run(claim(request));
  const [[standing]] = await database.run(explain(request.tokenHash));
  if (standing === undefined) return { outcome: 'unknown' };
  return outcomeOf(standing, claimed.length > 0, request.nowMs);
}

function outcomeOf(standing: Standing, isClaimed: boolean, nowMs: number): Rotation {
  const session = sessionOf(standing);
  const user = userOf(standing);
  const { revokedReason, sealed, accessExpiresAtMs } = standing;
  if (user.disabledAtMs !== null) return { outcome: 'disabled' };
  if (revokedReason !== null) return { outcome: 'revoked', session, reason: revokedReason };
  if (isClaimed) return { outcome: 'rotated', session, user };

  if (session.expiresAtMs <= nowMs) return { outcome: 'expired' };
  if (standing.successorId !== null) {
    const mayRepeat = nowMs < (standing.graceUntilMs ?? 0) && standing.secondSuccessorId === null;
    if (!mayRepeat || sealed === null || accessExpiresAtMs === null) {
      return { outcome: 'reused', session, user };
    }
    return { outcome: 'repeated', session, user, sealed, accessExpiresAtMs };
  }
  return { outcome: 'expired' };
}

function sessionOf(standing: Standing): Session {
  return {
    id: standing.sessionId,
    userId: standing.userId,
    createdAtMs: standing.sessionCreatedAtMs,
    expiresAtMs: standing.sessionExpiresAtMs,
  };
}

function userOf(standing: Standing): User {
  return {
    id: standing.userId,
    email: standing.email,
    createdAtMs: standing.userCreatedAtMs,
    passwordChangedAtMs: standing.passwordChangedAtMs,
    disabledAtMs: standing.disabledAtMs,
  };
}

/** The lock keeps who revokes the session waiting until the successor can be seen, and the other way round. */
function claim({ tokenHash, nowMs, successor }: RotationRequest): Statement<{ id: string }> {
  return statement(
    `INSERT INTO refresh_tokens
       (id, session_id, token_hash, replaces, sealed, grace_until, issued_at, expires_at, access_expires_at)
     SELECT CAST($3 AS TEXT), s.id, CAST($4 AS TEXT), t.token_hash, CAST($5 AS TEXT), CAST($6 AS BIGINT),
       CAST($2 AS BIGINT), CASE WHEN s.expires_at < $7 THEN s.expires_at ELSE $7 END, CAST($8 AS BIGINT)
     FROM refresh_tokens t
       JOIN sessions s ON s.id = t.session_id
       JOIN users u ON u.id = s.user_id
     WHERE t.token_hash = $1 AND t.expires_at > $2 AND s.expires_at > $2
       AND s.revoked_at IS NULL AND u.disabled_at IS NULL
     FOR SHARE OF s
     ON CONFLICT (replaces) DO NOTHING
     RETURNING id`,
    tokenHash,
    nowMs,
    successor.id,
    successor.hash,
    successor.sealed,
    successor.graceUntilMs,
    successor.expiresAtMs,
    successor.accessExpiresAtMs,
  );
}

function explain(tokenHash: string): Statement<Standing> {
  return statement(
    `SELECT s.id AS "sessionId", s.created_at AS "sessionCreatedAtMs", s.expires_at AS "sessionExpiresAtMs",
       s.revoked_reason AS "revokedReason",
       u.id AS "userId", u.email, u.created_at AS "userCreatedAtMs",
       u.password_changed_at AS "passwordChangedAtMs", u.disabled_at AS "disabledAtMs",
       n.id AS "successorId", n.sealed, n.grace_until AS "graceUntilMs",
       n.access_expires_at AS "accessExpiresAtMs", m.id AS "secondSuccessorId"
     FROM refresh_tokens t
       JOIN sessions s ON s.id = t.session_id
       JOIN users u ON u.id = s.user_id
       LEFT JOIN refresh_tokens n ON n.replaces = t.token_hash
       LEFT JOIN refresh_tokens m ON m.replaces = n.token_hash
     WHERE t.token_hash = $1`,
    tokenHash,
  );
}
