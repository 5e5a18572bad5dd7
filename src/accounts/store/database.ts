/**
 * What Postgres and SQLite have in common: the statements of the store are written once, for this.
 *
 * They are in Postgres' dialect and use nothing that SQLite lacks, but for two things that the SQLite side
 * rewrites: `$1` for parameters, and `FOR SHARE OF`, which SQLite does not need because it has one writer.
 */

export type Value = string | number | null;

/** One statement and its parameters. A row's columns are named (`AS "…"`) as the fields of `Row`. */
export type Statement<Row> = {
  readonly text: string;
  readonly values: readonly Value[];
  /** Those behind it are left out, and return nothing, when it returns no row. */
  readonly isCondition: boolean;
  /** Never there: it carries the type. */
  readonly row?: Row;
};

export function statement<Row = never>(text: string, ...values: Value[]): Statement<Row> {
  return { text, values, isCondition: false };
}

/** A statement without whose rows there is nothing to be done for those behind it. */
export function condition<Row>(text: string, ...values: Value[]): Statement<Row> {
  return { text, values, isCondition: true };
}

export type RowsOf<Statements extends readonly Statement<unknown>[]> = {
  [Index in keyof Statements]: Statements[Index] extends Statement<infer Row> ? Row[] : never;
};

export interface Database extends AsyncDisposable {
  /**
   * Runs statements in order, all or none of them, each seeing what was committed before it began; one
   * alone needs no transaction. They cannot use each other's rows other than through the database, and by
   * being conditions, so that nobody waits between them. Throws StoreUnavailable, or a SignalboxError `store_failed`.
   */
  run<Statements extends readonly Statement<unknown>[]>(
    ...statements: Statements
  ): Promise<RowsOf<Statements>>;

  /** Runs `work` in a transaction that no other instance can be in at the same time. For start-up. */
  exclusively<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result>;
}

/** One connection inside of a transaction. */
export interface Connection {
  /** Any number of statements without parameters, separated by semicolons. */
  runScript(text: string): Promise<void>;
  run<Row>(statement: Statement<Row>): Promise<Row[]>;
}
