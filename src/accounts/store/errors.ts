import { SignalboxError } from '#core/errors.ts';

/** The database does not answer, or not in time. The store recovers by itself as soon as it does. */
export class StoreUnavailable extends SignalboxError {
  /** `reason` goes into logs: it must not hold an address, a user, or anything else of the database's URL. */
  constructor(reason: string) {
    super('store_unavailable', 'operator', `the accounts database is not available: ${reason}`);
    this.name = 'StoreUnavailable';
  }
}

/** The database answered, and refused what was asked of it: a mistake in Signalbox or in its privileges. */
export function storeFailed(reason: string): SignalboxError {
  return new SignalboxError(
    'store_failed',
    'signalbox',
    `the accounts database refused a statement: ${reason}`,
  );
}
