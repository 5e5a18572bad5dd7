import { REFUSALS, type Refusal } from './refusals.ts';
import { appendStamp, type Stamp } from './response-headers.ts';

export type ProblemAnswer = {
  readonly status: number;
  readonly reason: string;
  readonly headers: string[];
  readonly body: string;
};

/** The name in `Proxy-Status` where `Via`, which it shares, is turned off. */
const PSEUDONYM = 'signalbox';

/** A refusal as its answer: problem details (RFC 9457) and Proxy-Status (RFC 9209). */
export function problemAnswer(refusal: Refusal, stamp: Stamp, extra: readonly string[]): ProblemAnswer {
  const { status, title, detail, error, proxyStatus } = lookUp(refusal);
  const body = `${JSON.stringify({
    type: 'about:blank',
    title,
    status,
    detail: refusal.detail ?? detail,
    error,
    request_id: stamp.requestId,
  })}\n`;
  const headers = [
    'Content-Type',
    'application/problem+json',
    'Content-Length',
    `${Buffer.byteLength(body)}`,
  ];
  appendStamp(headers, stamp, null);
  if (proxyStatus !== undefined) {
    headers.push('Proxy-Status', `${stamp.names.via ?? PSEUDONYM}; error=${proxyStatus}`);
  }
  if (refusal.challenge !== undefined) headers.push('WWW-Authenticate', refusal.challenge);
  // Only where waiting helps (RFC 9110 §10.2.3).
  if (refusal.retryAfterSeconds !== undefined && (status === 429 || status === 503)) {
    headers.push('Retry-After', `${refusal.retryAfterSeconds}`);
  }
  if (refusal.allow !== undefined) headers.push('Allow', refusal.allow);
  headers.push(...extra);
  return { status, reason: title, headers, body };
}

// Widens the literal types of the table, so that `proxyStatus` may be asked of every cause.
function lookUp(refusal: Refusal) {
  return REFUSALS[refusal.cause];
}
