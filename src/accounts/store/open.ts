import type { DatabaseSettings } from '#core/account-settings.ts';
import type { Clock } from '#core/clock.ts';
import { cleanUp } from './clean-up.ts';
import type { AccountStore } from './contract.ts';
import { type Database, statement } from './database.ts';
import { createKeyStore } from './keys.ts';
import { migrate, readMigrations } from './migrations.ts';
import { PostgresDatabase } from './postgres.ts';
import { createSessionStore } from './sessions.ts';
import { SqliteDatabase } from './sqlite.ts';
import { createThrottleStore } from './throttle.ts';
import { createUserStore } from './users.ts';

/**
 * Connects to the accounts database, and brings it up to date first. Throws StoreUnavailable when it does
 * not answer, and a SignalboxError (`migration_changed`, `config_invalid`, `database_unusable`, `store_failed`)
 * when it cannot be used as it is.
 */
export async function openStore(settings: DatabaseSettings, clock: Clock): Promise<AccountStore> {
  const database =
    settings.kind === 'postgres' ? new PostgresDatabase(settings) : new SqliteDatabase(settings, clock);
  try {
    await migrate(database, await readMigrations(), clock.wallMs());
    if (database instanceof PostgresDatabase) await database.warmUp();
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
  return createStore(database);
}

/** A store in a database that is up to date. */
export function createStore(database: Database): AccountStore {
  return {
    users: createUserStore(database),
    sessions: createSessionStore(database),
    keys: createKeyStore(database),
    throttle: createThrottleStore(database),
    cleanUp: (nowMs) => cleanUp(database, nowMs),
    ping: async () => void (await database.run(statement('SELECT 1 AS "one"'))),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
