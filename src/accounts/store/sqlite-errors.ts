import { codeOf, messageOf, SignalboxError } from '#core/errors.ts';
import { StoreUnavailable, storeFailed } from './errors.ts';

const BUSY = 5;

/** Primary result codes (sqlite.org/rescode.html) that say nothing against the statement itself. */
const UNAVAILABLE: Readonly<Record<number, string>> = {
  [BUSY]: 'another process holds its lock',
  8: 'it cannot be written to',
  10: 'the disk failed',
  11: 'its file is damaged',
  13: 'the disk is full',
  14: 'its file cannot be opened',
  26: 'its file is not an SQLite database',
};

export function isBusy(error: unknown): boolean {
  return primaryCodeOf(error) === BUSY;
}

/** What `node:sqlite` threw, as an error without anything that was stored. */
export function sqliteError(error: unknown): SignalboxError {
  if (error instanceof SignalboxError) return error;

  const primary = primaryCodeOf(error);
  const unavailable = UNAVAILABLE[primary];
  if (unavailable !== undefined) return new StoreUnavailable(`${unavailable} (SQLite code ${primary})`);
  if (codeOf(error) === 'ERR_SQLITE_ERROR') return storeFailed(messageOf(error));
  return new StoreUnavailable(codeOf(error) || messageOf(error));
}

/** What it, or the file system, threw when a file was opened. Waiting helps against a lock alone. */
export function openingError(file: string, error: unknown): SignalboxError {
  if (isBusy(error)) return sqliteError(error);
  const reason = UNAVAILABLE[primaryCodeOf(error)] ?? messageOf(error);
  const message = `the accounts database ${file} cannot be used: ${reason}; SIGNALBOX_DATA_DIR names its folder`;
  return new SignalboxError('database_unusable', 'operator', message, { cause: error });
}

/** 0 when it does not come from SQLite. */
function primaryCodeOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return 0;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
}
