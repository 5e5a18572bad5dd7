import pg from 'pg';
import type { PostgresSettings } from '#core/account-settings.ts';
import { codeOf, SignalboxError } from '#core/errors.ts';
import type { Connection, Database, RowsOf, Statement } from './database.ts';
import { StoreUnavailable } from './errors.ts';
import { isUndone, postgresError } from './postgres-errors.ts';

export type PostgresDeadlines = {
  /** To get a connection, new or from the pool. */
  readonly connectMs: number;
  /** For one statement, the time that it waits for locks included. */
  readonly statementMs: number;
};

const DEADLINES: PostgresDeadlines = { connectMs: 3000, statementMs: 5000 };

/** A migration may rewrite a table, or wait for the instance that does. */
const MIGRATION_MS_MAX = 120_000;

/** Who is not told by the server in time has given up on the server. */
const SERVER_SLACK_MS = 1000;

/** Callers that wait for a connection of the pool; one more is refused at once. */
const WAITING_MAX = 1000;

/** For a transaction that the server ended in favour of another one. */
const TRIES_MAX = 4;

/** A number that nothing else is likely to lock: "signal" in ASCII. */
const MIGRATION_LOCK = 0x7369676e616c;

/** By default, 64-bit integers come as text. Those here are times and counts, exact as numbers. */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);

export class PostgresDatabase implements Database {
  readonly #pool: pg.Pool;
  readonly #migrationConfig: pg.ClientConfig;
  readonly #connectionsMin: number;

  /** Connects to nothing yet. Throws a SignalboxError `config_invalid` when the URL makes no sense. */
  constructor(settings: PostgresSettings, deadlines: PostgresDeadlines = DEADLINES) {
    this.#connectionsMin = settings.connectionsMin;
    this.#migrationConfig = clientConfig(settings.url, { ...deadlines, statementMs: MIGRATION_MS_MAX });
    refuseBadUrl(this.#migrationConfig);
    this.#pool = new pg.Pool({
      ...clientConfig(settings.url, deadlines),
      max: settings.connectionsMax,
      min: settings.connectionsMin,
    });
    // A connection that breaks while nobody uses it is replaced when one is needed. Without listeners, it
    // would end the process.
    this.#pool.on('error', ignore);
    this.#pool.on('connect', (client) => client.on('error', ignore));
  }

  async run<Statements extends readonly Statement<unknown>[]>(
    ...statements: Statements
  ): Promise<RowsOf<Statements>> {
    for (let tries = 1; ; tries++) {
      try {
        return (await this.#runOnce(statements)) as RowsOf<Statements>;
      } catch (error) {
        if (!isUndone(error) || tries === TRIES_MAX) throw postgresError(error);
      }
    }
  }

  async #runOnce(statements: readonly Statement<unknown>[]): Promise<unknown[][]> {
    const client = await this.#connect();
    let isDone = false;
    try {
      const results = await inTransaction(client, statements.length > 1, async () => {
        const results: unknown[][] = [];
        let isOver = false;
        for (const one of statements) {
          const rows: unknown[] = isOver ? [] : await query(client, one);
          isOver ||= one.isCondition && rows.length === 0;
          results.push(rows);
        }
        return results;
      });
      isDone = true;
      return results;
    } finally {
      // Closed, a connection rolls back, whatever state it is in.
      client.release(!isDone);
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    if (this.#pool.waitingCount >= WAITING_MAX) throw new StoreUnavailable('too many callers wait for it');
    return this.#pool.connect();
  }

  async exclusively<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const client = new pg.Client(this.#migrationConfig);
    client.on('error', ignore);
    try {
      await client.connect();
      return await inTransaction(client, true, async () => {
        // Ends with the transaction; a lock of the session would not survive a pooler in between.
        await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
        return work({
          runScript: async (text) => void (await client.query(text)),
          run: (one) => query(client, one),
        });
      });
    } catch (error) {
      throw postgresError(error);
    } finally {
      await client.end().catch(ignore);
    }
  }

  /** Opens the connections that are to be kept, as far as the server lets it, for the first requests. */
  async warmUp(): Promise<void> {
    const opening = Array.from({ length: this.#connectionsMin }, () => this.#connect());
    for (const opened of await Promise.allSettled(opening)) {
      if (opened.status === 'fulfilled') opened.value.release();
    }
  }

  /** Waits for what is running. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end();
  }
}

function clientConfig(url: string, { connectMs, statementMs }: PostgresDeadlines): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'signalbox',
    keepAlive: true,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: statementMs,
    query_timeout: statementMs + SERVER_SLACK_MS,
    types,
  };
}

function refuseBadUrl(config: pg.ClientConfig): void {
  try {
    new pg.Client(config);
  } catch (error) {
    // Neither the message nor the error itself goes any further: they may quote the URL.
    const message = `database.url is not a usable Postgres URL (${codeOf(error) || 'it cannot be read'})`;
    throw new SignalboxError('config_invalid', 'operator', message);
  }
}

async function inTransaction<Result>(
  client: pg.ClientBase,
  isNeeded: boolean,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!isNeeded) return work();
  await client.query('BEGIN');
  const result = await work();
  await client.query('COMMIT');
  return result;
}

async function query<Row>(client: pg.ClientBase, { text, values }: Statement<Row>): Promise<Row[]> {
  return (await client.query(text, [...values])).rows as Row[];
}

function ignore(): void {}
