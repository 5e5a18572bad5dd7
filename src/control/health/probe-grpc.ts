import { Readable } from 'node:stream';
import type { Clock } from '#core/clock.ts';
import { fieldName } from '#core/field-names.ts';
import { Fields } from '#core/fields.ts';
import { headerValue } from '#core/headers.ts';
import type { Outcome } from '#core/health/tally.ts';
import type { Upstream } from '#core/table.ts';
import { hostOf, PROBE_USER_AGENT } from './probe-http.ts';

/** Of the answer, which takes seven. */
const ANSWER_BYTES_MAX = 1024;

/** A message is not compressed, and so long (gRPC over HTTP/2, Length-Prefixed-Message). */
const PREFIX_BYTES = 5;

/** HealthCheckResponse with SERVING, 1, as its field 1. */
const SERVING = Buffer.from([0x08, 0x01]);

/**
 * Calls `grpc.health.v1.Health/Check` for a service, or with '' for the whole server. Passes when it is said to
 * be serving. Rejects when there is no answer.
 */
export async function probeGrpc(
  upstream: Upstream,
  service: string,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Outcome> {
  const request = {
    method: 'POST',
    path: '/grpc.health.v1.Health/Check',
    headers: Fields.of([
      'Host',
      hostOf(upstream),
      'Content-Type',
      'application/grpc',
      'User-Agent',
      PROBE_USER_AGENT,
    ]),
    body: Readable.from([requestFor(service)]),
    takesTrailers: true,
  };
  const options = { bodyBytesMax: ANSWER_BYTES_MAX, timeoutMs, signal };
  const { askHttp2 } = await import('./ask-http2.ts');
  const { status, headers, trailers, body } = await askHttp2(upstream, request, options, clock);
  if (status !== 200) return { passed: false, reason: `status ${status}` };
  // An answer without a message has it in its head.
  const code = headerValue(trailers, 'grpc-status') ?? headers.value(fieldName('grpc-status')) ?? 'missing';
  if (code !== '0') return { passed: false, reason: `grpc-status ${code.slice(0, 16)}` };
  const isServing = body.subarray(PREFIX_BYTES, PREFIX_BYTES + SERVING.length).equals(SERVING);
  return isServing ? { passed: true } : { passed: false, reason: 'not serving' };
}

/** HealthCheckRequest, with the service's name as its field 1. */
function requestFor(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
