import type { RequestHead } from '#actors/request/exchange.ts';
import type { Reply } from '#actors/request/reply.ts';
import { Fields } from '#core/fields.ts';
import { grpcAnswer, isGrpc } from '#core/grpc.ts';
import { problemAnswer } from '#core/problem.ts';
import type { Refusal } from '#core/refusals.ts';
import type { Stamp } from '#core/response-headers.ts';
import { rawHead } from './raw-head.ts';

const CLOSE = Fields.of(['Connection', 'close']);

/** Sends a refusal's head and body, as who asked would understand it; the caller ends the reply. */
export function sendRefusal(
  reply: Reply,
  refusal: Refusal,
  stamp: Stamp,
  notices: Fields,
  asked: Pick<RequestHead, 'method' | 'headers'>,
): void {
  const answerOf = isGrpc(asked.headers) ? grpcAnswer : problemAnswer;
  const { status, reason, headers, body } = answerOf(refusal, stamp, notices);
  reply.head(status, reason, headers);
  if (asked.method !== 'HEAD' && body !== '') reply.write(body);
}

/** A refusal as bytes, for a connection that has no request to answer. The connection ends with it. */
export function rawRefusal(refusal: Refusal, stamp: Stamp): string {
  const { status, reason, headers, body } = problemAnswer(refusal, stamp, CLOSE);
  return `${rawHead(status, reason, headers)}${body}`;
}
