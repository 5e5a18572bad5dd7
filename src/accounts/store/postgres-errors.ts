import pg from 'pg';
import { codeOf, messageOf, SignalboxError } from '#core/errors.ts';
import { StoreUnavailable, storeFailed } from './errors.ts';

/** Classes of SQLSTATE (Postgres' manual, appendix A) that say nothing against the statement itself. */
const UNAVAILABLE: Readonly<Record<string, string>> = {
  '08': 'the connection failed',
  '25': 'it is read-only, or ended an idle transaction',
  '28': 'it refuses the user or the password of database.url',
  '3D': 'it has no database of the name in database.url',
  '40': 'it undid a transaction in favour of others, repeatedly',
  '53': 'it is out of connections, memory or disk space',
  '55': 'a lock was not to be had',
  '57': 'it ended a statement that took too long, or is starting or stopping',
  '58': 'its system failed',
  XX: 'it failed internally',
};

/** The class whose messages name columns, tables and privileges, and quote no data. */
const SYNTAX_OR_ACCESS = '42';

/** serialization_failure, deadlock_detected: nothing took effect, so the same may be tried again. */
export function isUndone(error: unknown): boolean {
  return codeOf(error) === '40001' || codeOf(error) === '40P01';
}

/** What `pg` threw, as an error that can be shown: without the URL, and without anything that was stored. */
export function postgresError(error: unknown): SignalboxError {
  if (error instanceof SignalboxError) return error;
  if (!(error instanceof pg.DatabaseError)) return new StoreUnavailable(codeOf(error) || messageOf(error));

  const { code = '', constraint } = error;
  const unavailable = UNAVAILABLE[code.slice(0, 2)];
  if (unavailable !== undefined) return new StoreUnavailable(`${unavailable} (SQLSTATE ${code})`);
  if (code.startsWith(SYNTAX_OR_ACCESS)) return storeFailed(`${error.message} (SQLSTATE ${code})`);
  return storeFailed(`SQLSTATE ${code}${constraint === undefined ? '' : `, constraint ${constraint}`}`);
}
