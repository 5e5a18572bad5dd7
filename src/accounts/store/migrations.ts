/**
 * Migrations: `sql/NNN_name.sql`, numbered from 001 without gaps, applied in order and only forwards. Each
 * runs in a transaction of its own together with the note that it ran, under a lock, so any number of
 * instances may start at once.
 *
 * A migration must leave the release before it working, because instances are replaced one at a time. In
 * return, an instance takes no offence at migrations that are newer than itself.
 */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SignalboxError } from '#core/errors.ts';
import { type Connection, type Database, statement } from './database.ts';

export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../../sql/', import.meta.url));

const CREATE_NOTES = `
  CREATE TABLE IF NOT EXISTS schema_migrations (
    number     BIGINT NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    checksum   TEXT   NOT NULL,
    applied_at BIGINT NOT NULL
  )`;

export type Migration = {
  readonly number: number;
  /** Of its file. */
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the text, line ends aside. */
  readonly checksum: string;
};

/** The migrations in a folder, in order. Throws an Error when they are not numbered from 001 without gaps. */
export async function readMigrations(folder: string = MIGRATIONS_FOLDER): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted();
  return Promise.all(names.map((name, index) => readMigration(folder, name, index + 1)));
}

async function readMigration(folder: string, name: string, number: number): Promise<Migration> {
  if (!name.startsWith(`${String(number).padStart(3, '0')}_`)) {
    throw new Error(`migration ${name} should be number ${number}`);
  }
  const text = (await readFile(join(folder, name), 'utf8')).replaceAll('\r\n', '\n');
  return { number, name, text, checksum: createHash('sha256').update(text).digest('hex') };
}

/**
 * Brings a database up to date; returns the names of what it applied. Throws a SignalboxError
 * `migration_changed` when a migration is not what it was when it was applied.
 */
export async function migrate(
  database: Database,
  migrations: readonly Migration[],
  nowMs: number,
): Promise<string[]> {
  const applied: string[] = [];
  for (const migration of migrations) {
    const isNew = await database.exclusively((connection) => apply(connection, migration, nowMs));
    if (isNew) applied.push(migration.name);
  }
  return applied;
}

async function apply(connection: Connection, migration: Migration, nowMs: number): Promise<boolean> {
  const { number, name, text, checksum } = migration;
  await connection.runScript(CREATE_NOTES);
  const [note] = await connection.run(
    statement<{ checksum: string }>('SELECT checksum FROM schema_migrations WHERE number = $1', number),
  );
  if (note !== undefined) {
    if (note.checksum !== checksum) throw migrationChanged(name);
    return false;
  }
  await connection.runScript(text);
  await connection.run(
    statement(
      'INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)',
      number,
      name,
      checksum,
      nowMs,
    ),
  );
  return true;
}

function migrationChanged(name: string): SignalboxError {
  return new SignalboxError(
    'migration_changed',
    'operator',
    `sql/${name} is not what was applied to the accounts database: put the file back as it was, and make changes in a new one`,
  );
}
