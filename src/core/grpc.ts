import { fieldName } from './field-names.ts';
import { Fields } from './fields.ts';
import { addRefusal, type RefusalAnswer } from './problem.ts';
import { REFUSALS, type Refusal } from './refusals.ts';
import { addStamp, type Stamp } from './response-headers.ts';

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

const CONTENT_TYPE = fieldName('Content-Type');

/** Whether a call of gRPC is asked for; gRPC-Web is not one. */
export function isGrpc(headers: Fields): boolean {
  const type = headers.value(CONTENT_TYPE);
  return type !== null && GRPC.test(type);
}

/**
 * A refusal as a call of gRPC is answered: by headers alone, with 200, since the status of a call is one of them
 * (gRPC over HTTP/2, Trailers-Only). So does Envoy.
 */
export function grpcAnswer(refusal: Refusal, stamp: Stamp, extra: Fields): RefusalAnswer {
  const { status, detail } = REFUSALS[refusal.cause];
  const headers = Fields.of(['Content-Type', 'application/grpc', 'Content-Length', '0']);
  headers.addAll(['grpc-status', `${GRPC_STATUS.get(status) ?? UNKNOWN}`]);
  headers.addAll(['grpc-message', percentEncoded(refusal.detail ?? detail)]);
  addStamp(headers, stamp, null);
  addRefusal(headers, refusal, stamp);
  headers.append(extra);
  return { status: 200, reason: 'OK', headers, body: '' };
}

/** What is not printable ASCII, and the percent sign itself (gRPC over HTTP/2, Status-Message). */
function percentEncoded(text: string): string {
  return text.replace(/[^ -$&-~]/gu, encodeURIComponent);
}
