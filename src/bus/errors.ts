import { type Blame, SignalboxError } from '#core/errors.ts';
import { MESSAGE_BYTES_MAX, type Published } from './contract.ts';

const BLAME = {
  /** Somebody else wrote first: read again, decide again. */
  bus_conflict: 'client',
  /** There is no connection, or it was lost meanwhile. */
  bus_isolated: 'operator',
  bus_timeout: 'operator',
  bus_no_responder: 'signalbox',
  bus_too_large: 'client',
  /** The bucket holds as many bytes as it may. */
  bus_full: 'operator',
  /** More at once, or more in all, than the bounds of the bus allow. */
  bus_busy: 'signalbox',
  /** The server's permissions do not allow it. */
  bus_denied: 'operator',
  bus_failed: 'operator',
  bus_closed: 'signalbox',
  bus_bad_name: 'client',
  bus_bad_settings: 'operator',
} as const satisfies Record<string, Blame>;

export type BusErrorCode = keyof typeof BLAME;

/** The one kind of error that the bus raises; an aborted wait rejects with its signal's reason instead. */
export class BusError extends SignalboxError {
  declare readonly code: BusErrorCode;

  constructor(code: BusErrorCode, message: string, options?: ErrorOptions) {
    super(code, BLAME[code], message, options);
    this.name = 'BusError';
  }
}

export function isConflict(error: unknown): error is BusError {
  return error instanceof BusError && error.code === 'bus_conflict';
}

/** Why a request could not be sent. */
export function notSent(subject: string, outcome: Exclude<Published, 'sent'>): BusError {
  switch (outcome) {
    case 'isolated':
      return new BusError('bus_isolated', `no connection to the bus: ${subject} was not asked`);
    case 'backlog':
      return new BusError('bus_busy', `the bus takes no more at the moment: ${subject} was not asked`);
    case 'too_large':
      return tooLarge(`a request to ${subject}`);
  }
}

export function tooLarge(what: string): BusError {
  return new BusError('bus_too_large', `${what} has more than ${MESSAGE_BYTES_MAX} bytes`);
}

export function conflict(bucket: string, key: string): BusError {
  return new BusError('bus_conflict', `${key} in ${bucket} was written by somebody else meanwhile`);
}

export function full(bucket: string): BusError {
  return new BusError(
    'bus_full',
    `${bucket} holds as many bytes as it may; delete something or raise its limit`,
  );
}
