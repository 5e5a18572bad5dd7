import type { Throttle, ThrottleStore } from './contract.ts';
import { type Database, statement } from './database.ts';

export function createThrottleStore(database: Database): ThrottleStore {
  return {
    async read(key) {
      const [[throttle]] = await database.run(
        statement<Throttle>(
          `SELECT failures, blocked_until AS "blockedUntilMs", expires_at AS "expiresAtMs"
           FROM login_throttle WHERE key = $1`,
          key,
        ),
      );
      return throttle ?? null;
    },

    async record(key, seen, next) {
      // Nothing equals null: who has seen no row cannot replace one.
      const [recorded] = await database.run(
        statement<{ key: string }>(
          `INSERT INTO login_throttle (key, failures, blocked_until, expires_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (key) DO UPDATE SET failures = excluded.failures,
             blocked_until = excluded.blocked_until, expires_at = excluded.expires_at
           WHERE login_throttle.failures = $5 AND login_throttle.blocked_until = $6
             AND login_throttle.expires_at = $7
           RETURNING key`,
          key,
          next.failures,
          next.blockedUntilMs,
          next.expiresAtMs,
          seen?.failures ?? null,
          seen?.blockedUntilMs ?? null,
          seen?.expiresAtMs ?? null,
        ),
      );
      return recorded.length > 0;
    },

    async reset(key) {
      await database.run(statement('DELETE FROM login_throttle WHERE key = $1', key));
    },
  };
}
