/** Why a request to an upstream came to nothing, in whatever version of HTTP. */

import { SignalboxError } from '#core/errors.ts';

export function connectionEnded(): SignalboxError {
  return new SignalboxError(
    'upstream_closed',
    'upstream',
    'The upstream closed the connection before its answer was complete.',
  );
}

/** The upstream has not begun on the request, which may be sent again whatever it asks for (RFC 9113 §8.7). */
export function unprocessed(): SignalboxError {
  return new SignalboxError(
    'upstream_unprocessed',
    'upstream',
    'The upstream ended the connection, or the stream, without having begun on the request.',
  );
}

export function malformedRequest(): SignalboxError {
  return new SignalboxError('request_malformed', 'client', 'The request cannot be written as HTTP.');
}

export function wrongLength(): SignalboxError {
  return new SignalboxError(
    'request_malformed',
    'client',
    'The body is not as long as it was declared to be.',
  );
}

export function brokenBody(): SignalboxError {
  return new SignalboxError(
    'request_body_broken',
    'client',
    'The request body ended before it was complete.',
  );
}

export function poolClosed(): SignalboxError {
  return new SignalboxError('transport_closed', 'signalbox', 'The connections to this upstream were closed.');
}

export function tooManyWaiting(): SignalboxError {
  return new SignalboxError(
    'transport_busy',
    'signalbox',
    'Too many requests wait for a connection to this upstream.',
  );
}
