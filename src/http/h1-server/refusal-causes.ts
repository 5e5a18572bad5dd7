import type { PlainCause } from '#core/refusals.ts';
import type { HeadFault } from '../h1/faults.ts';

/** How a client is told of what is wrong with its head. */
export function causeOf(fault: HeadFault | null): PlainCause {
  return fault === 'head_too_large' || fault === 'too_many_fields' ? 'head_too_large' : 'malformed_request';
}
