import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { SqliteSettings } from '#core/account-settings.ts';
import { type Clock, NEVER, sleep } from '#core/clock.ts';
import type { Connection, Database, RowsOf, Statement } from './database.ts';
import { isBusy, openingError, sqliteError } from './sqlite-errors.ts';

/** How long another process may hold the lock. */
const BUSY_MS_MAX = 1000;
const BUSY_RETRY_MS = 5;

/** The same at start-up, when the thread has no other duties, and stands still meanwhile. */
const MIGRATION_BUSY_MS_MAX = 60_000;

/** Ten seconds in all. */
const LOG_TRIES_MAX = 1000;
const LOG_RETRY_MS = 10;

/**
 * Statements run in the calling thread, at once and to their end: each takes microseconds, a commit as
 * long as the disk needs to make it safe.
 */
export class SqliteDatabase implements Database {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  /** One for each statement in the source. */
  readonly #prepared = new Map<string, StatementSync>();

  /**
   * Makes the file, and its folder, when it is not there. Throws a SignalboxError `database_unusable` when that
   * fails, and StoreUnavailable when others hold its lock.
   */
  constructor({ file }: SqliteSettings, clock: Clock) {
    this.#clock = clock;
    try {
      createPrivateFile(file);
      this.#database = new DatabaseSync(file, { timeout: MIGRATION_BUSY_MS_MAX });
      useWriteAheadLog(this.#database);
      // What was committed survives a loss of power.
      this.#database.exec('PRAGMA synchronous = FULL; PRAGMA busy_timeout = 0');
    } catch (error) {
      throw openingError(file, error);
    }
  }

  async run<Statements extends readonly Statement<unknown>[]>(
    ...statements: Statements
  ): Promise<RowsOf<Statements>> {
    const endMs = this.#clock.monotonicMs() + BUSY_MS_MAX;
    for (;;) {
      try {
        return this.#runOnce(statements) as RowsOf<Statements>;
      } catch (error) {
        if (!isBusy(error) || this.#clock.monotonicMs() >= endMs) throw sqliteError(error);
      }
      // Nothing took effect. SQLite could wait by itself, and all that the thread has to do would wait, too.
      await sleep(this.#clock, BUSY_RETRY_MS, NEVER);
    }
  }

  #runOnce(statements: readonly Statement<unknown>[]): unknown[][] {
    const [only] = statements;
    return statements.length === 1 && only !== undefined ? [this.#run(only)] : this.#runAll(statements);
  }

  #runAll(statements: readonly Statement<unknown>[]): unknown[][] {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      let isOver = false;
      const results = statements.map((one) => {
        const rows = isOver ? [] : this.#run(one);
        isOver ||= one.isCondition && rows.length === 0;
        return rows;
      });
      this.#database.exec('COMMIT');
      return results;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  async exclusively<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    try {
      this.#database.exec(`PRAGMA busy_timeout = ${MIGRATION_BUSY_MS_MAX}; BEGIN IMMEDIATE`);
      const result = await work({
        runScript: async (text) => this.#database.exec(text),
        run: async (one) => this.#run(one),
      });
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#rollBack();
      throw sqliteError(error);
    } finally {
      this.#database.exec('PRAGMA busy_timeout = 0');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #run<Row>({ text, values }: Statement<Row>): Row[] {
    let prepared = this.#prepared.get(text);
    if (prepared === undefined) {
      prepared = this.#database.prepare(toSqlite(text));
      this.#prepared.set(text, prepared);
    }
    return prepared.all(...values).map((row) => ({ ...row }) as Row);
  }

  /** Some errors have done it already. */
  #rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }
}

function toSqlite(text: string): string {
  return text.replaceAll(/\$(\d+)/g, '?$1').replace(/FOR SHARE OF \w+/, '');
}

/**
 * With it, readers do not wait for the writer. It is a property of the file. Of processes that open a new
 * one at once, all but the first may find it locked, and this is the one statement for which SQLite does
 * not wait by itself.
 */
function useWriteAheadLog(database: DatabaseSync): void {
  for (let tries = 1; ; tries++) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (!isBusy(error) || tries === LOG_TRIES_MAX) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOG_RETRY_MS);
    }
  }
}

/** SQLite gives the files that it makes beside this one the same rights. */
function createPrivateFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // One that exists is not opened here: to close it would end all locks that this process has on it.
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  // A device, say, belongs to others as well: its rights stay as they are.
  if (!statSync(file).isFile()) throw new Error('its path is not that of a file');
  chmodSync(file, 0o600);
}
