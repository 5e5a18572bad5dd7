import { type FlatHeaders, headerValue } from './headers.ts';
import { appendRefusal, type RefusalAnswer } from './problem.ts';
import { REFUSALS, type Refusal } from './refusals.ts';
import { appendStamp, type Stamp } from './response-headers.ts';

/** By HTTP status, as clients read it where there is no other (gRPC, "HTTP to gRPC Status Code Mapping"). */
const GRPC_STATUS: ReadonlyMap<number, number> = new Map([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, 14],
  [502, 14],
  [503, 14],
  [504, 14],
]);
const UNKNOWN = 2;

const GRPC = /^application\/grpc(?:$|[+;\t ])/i;

/** Whether a call of gRPC is asked for; gRPC-Web is not one. */
export function isGrpc(headers: FlatHeaders): boolean {
  const type = headerValue(headers, 'content-type');
  return type !== null && GRPC.test(type);
}

/**
 * A refusal as a call of gRPC is answered: by headers alone, with 200, since the status of a call is one of them
 * (gRPC over HTTP/2, Trailers-Only). So does Envoy.
 */
export function grpcAnswer(refusal: Refusal, stamp: Stamp, extra: readonly string[]): RefusalAnswer {
  const { status, detail } = REFUSALS[refusal.cause];
  const headers = ['Content-Type', 'application/grpc', 'Content-Length', '0'];
  headers.push('grpc-status', `${GRPC_STATUS.get(status) ?? UNKNOWN}`);
  headers.push('grpc-message', percentEncoded(refusal.detail ?? detail));
  appendStamp(headers, stamp, null);
  appendRefusal(headers, refusal, stamp);
  headers.push(...extra);
  return { status: 200, reason: 'OK', headers, body: '' };
}

/** What is not printable ASCII, and the percent sign itself (gRPC over HTTP/2, Status-Message). */
function percentEncoded(text: string): string {
  return text.replace(/[^ -$&-~]/gu, encodeURIComponent);
}
