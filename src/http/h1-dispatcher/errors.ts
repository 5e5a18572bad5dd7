/** Why a request came to nothing, as far as the system or TLS did not say it. */

import { SignalboxError } from '#core/errors.ts';
import type { BodyFault, FramingFault, HeadFault } from '../h1/faults.ts';

export type AnswerFault =
  | HeadFault
  | FramingFault
  | BodyFault
  | 'unasked_upgrade'
  | 'too_many_informational'
  /** Bytes before there was a request. */
  | 'unasked_answer';

export function malformedAnswer(fault: AnswerFault): SignalboxError {
  return new SignalboxError(
    'upstream_malformed',
    'upstream',
    `What the upstream sent is not valid HTTP/1.1: ${fault.replaceAll('_', ' ')}.`,
  );
}

export function connectionEnded(): SignalboxError {
  return new SignalboxError(
    'upstream_closed',
    'upstream',
    'The upstream closed the connection before its answer was complete.',
  );
}

export function malformedRequest(): SignalboxError {
  return new SignalboxError('request_malformed', 'client', 'The request cannot be written as HTTP/1.1.');
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
