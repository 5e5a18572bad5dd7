import type { DatabaseSettings } from '#core/account-settings.ts';
import type { Clock } from '#core/clock.ts';
import { cleanUp } from './clean-up.ts';
import type { AccountStore } from './contract.ts';
import { type Database, statement } from './database.ts';
import { createKeyStore } from './keys.ts';
import { migrate, readMigrations } from './migrations.ts';
import { createSessionStore } from './sessions.ts';
import { createThrottleStore } from './throttle.ts';
import { createUserStore } from './users.ts';

/**
 * Connects to the accounts database, and brings it up to date first. Throws StoreUnavailable when it does
 * not answer, and a SignalboxError (`migration_changed`, `config_invalid`, `database_unusable`, `store_failed`)
 * when it cannot be used as it is.
 */
export async function openStore(settings: DatabaseSettings, clock: Clock): Promise<AccountStore> {
  const { database, warmUp } = await databaseOf(settings, clock);
  try {
    await migrate(database, await readMigrations(), clock.wallMs());
    await warmUp();
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
  return createStore(database);
}

type Opened = { readonly database: Database; readonly warmUp: () => Promise<void> };

/** Loads the client of this kind of database, and not that of the other. */
async function databaseOf(settings: DatabaseSettings, clock: Clock): Promise<Opened> {
  if (settings.kind === 'sqlite') {
    const { SqliteDatabase } = await import('./sqlite.ts');
    return { database: new SqliteDatabase(settings, clock), warmUp: async () => {} };
  }
  const { PostgresDatabase } = await import('./postgres.ts');
  const database = new PostgresDatabase(settings);
  return { database, warmUp: () => database.warmUp() };
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
