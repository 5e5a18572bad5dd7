import { REFUSALS, type Refusal } from './refusals.ts';
import { appendStamp, type Stamp } from './response-headers.ts';

export type RefusalAnswer = {
  readonly status: number;
  readonly reason: string;
  readonly headers: string[];
  readonly body: string;
};

/** The name in `Proxy-Status` where `Via`, which it shares, is turned off. */
const PSEUDONYM = 'signalbox';

/** A refusal as its answer: problem details (RFC 9457) and Proxy-Status (RFC 9209). */
export function problemAnswer(refusal: Refusal, stamp: Stamp, extra: readonly string[]): RefusalAnswer {
  const { status, title, detail, error } = REFUSALS[refusal.cause];
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
  appendRefusal(headers, refusal, stamp);
  headers.push(...extra);
  return { status, reason: title, headers, body };
}

/** What says why, and what to do about it, in headers. */
export function appendRefusal(headers: string[], refusal: Refusal, { names }: Stamp): void {
  const answer = REFUSALS[refusal.cause];
  const { proxyStatus } = answer;
  if (proxyStatus !== undefined) {
    headers.push('Proxy-Status', `${names.via ?? PSEUDONYM}; error=${proxyStatus}`);
  }
  if ('challenge' in refusal) headers.push('WWW-Authenticate', refusal.challenge);
  if ('allow' in refusal) headers.push('Allow', refusal.allow);
  const { retryAfterSeconds } = 'retryAfterSeconds' in refusal ? refusal : answer;
  if (retryAfterSeconds !== undefined) headers.push('Retry-After', `${retryAfterSeconds}`);
}
