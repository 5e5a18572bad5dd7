/** What an upstream does that is not HTTP/1.1. */

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
