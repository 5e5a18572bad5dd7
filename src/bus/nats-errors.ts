import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import {
  ClosedConnectionError,
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  TimeoutError,
} from 'nats';
import { messageOf } from '#core/errors.ts';
import { BusError, conflict, full } from './errors.ts';

/** The server's numbers for what the client library has no name for. */
const STREAM_STORE_FAILED = 10077;

/** What a failed bucket operation means in the words of the contract. */
export function bucketError(error: unknown, bucket: string, key: string | null, lost: AbortSignal): BusError {
  if (error instanceof BusError) return error;
  if (isLost(error, lost)) return isolated(`the connection was lost while ${bucket} was used`, error);
  if (isUntaken(error)) {
    const hint = 'has NATS lost it, or does it run without JetStream (nats-server --jetstream)?';
    return new BusError('bus_failed', `the bucket ${bucket} is not there: ${hint}`, { cause: error });
  }
  if (error instanceof JetStreamApiError) {
    switch (error.code) {
      case JetStreamApiCodes.StreamWrongLastSequence:
      case JetStreamApiCodes.StreamWrongLastSequenceUnknown:
        return conflict(bucket, key ?? '');
      case STREAM_STORE_FAILED:
        if (/maximum bytes/.test(error.message)) return full(bucket);
    }
  }
  return answerError(error, `the bucket ${bucket}`);
}

/** Whether nobody took what was sent: the bucket is not there, or not ready. It was certainly not done. */
export function isUntaken(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return causeOf(cause) instanceof NoRespondersError;
}

/** What a failed request means. */
export function requestError(error: unknown, subject: string, lost: AbortSignal): BusError {
  if (error instanceof BusError) return error;
  if (isLost(error, lost)) return isolated(`the connection was lost before ${subject} was answered`, error);
  if (causeOf(error) instanceof NoRespondersError) {
    return new BusError('bus_no_responder', `nobody listens to ${subject}`, { cause: error });
  }
  return answerError(error, subject);
}

function answerError(error: unknown, what: string): BusError {
  const cause = causeOf(error);
  if (cause instanceof TimeoutError) {
    return new BusError('bus_timeout', `${what} was not answered in time`, { cause: error });
  }
  if (cause instanceof PermissionViolationError) {
    return new BusError('bus_denied', `the bus denies the use of ${what}: ${cause.message}`, {
      cause: error,
    });
  }
  return new BusError('bus_failed', `${what} failed: ${messageOf(error)}`, { cause: error });
}

/** The library tells those who wait for an answer a little before it says that the connection is lost. */
function isLost(error: unknown, lost: AbortSignal): boolean {
  const cause = causeOf(error);
  return lost.aborted || cause instanceof ClosedConnectionError || messageOf(cause) === 'connection closed';
}

function isolated(message: string, cause: unknown): BusError {
  return new BusError('bus_isolated', message, { cause });
}

/** The library wraps what went wrong with a request. */
function causeOf(error: unknown): unknown {
  return error instanceof RequestError && error.cause !== undefined ? error.cause : error;
}
