import type { HttpExpectation } from './check.ts';
import type { Outcome } from './tally.ts';

/** What of a body is looked at; the text has to be within it. */
export const PROBE_BODY_BYTES_MAX = 64 * 1024;

/** Whether an answer is a pass. `body` is its beginning, and of no matter where no text is expected. */
export function httpOutcome(expected: HttpExpectation, status: number, body: string): Outcome {
  const isExpected = expected.statuses.some(([first, last]) => status >= first && status <= last);
  if (!isExpected) return { passed: false, reason: `status ${status}` };
  if (expected.text === null || body.includes(expected.text)) return { passed: true };
  return { passed: false, reason: 'body without the expected text' };
}
