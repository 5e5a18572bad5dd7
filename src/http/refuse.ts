import type { Reply } from '#actors/request/reply.ts';
import { problemAnswer } from '#core/problem.ts';
import type { Refusal } from '#core/refusals.ts';
import type { Stamp } from '#core/response-headers.ts';
import { rawHead } from './raw-head.ts';

/** Sends a refusal's head and body; the caller ends the reply. */
export function sendRefusal(
  reply: Reply,
  refusal: Refusal,
  stamp: Stamp,
  notices: readonly string[],
  isHead: boolean,
): void {
  const problem = problemAnswer(refusal, stamp, notices);
  reply.head(problem.status, problem.reason, problem.headers);
  if (!isHead) reply.write(problem.body);
}

/** A refusal as bytes, for a connection that has no request to answer. The connection ends with it. */
export function rawRefusal(refusal: Refusal, stamp: Stamp): string {
  const { status, reason, headers, body } = problemAnswer(refusal, stamp, ['Connection', 'close']);
  return `${rawHead(status, reason, headers)}${body}`;
}
