import { fieldName } from './field-names.ts';
import { Fields } from './fields.ts';
import { REFUSALS, type Refusal } from './refusals.ts';
import { addStamp, type Stamp } from './response-headers.ts';

export type RefusalAnswer = {
  readonly status: number;
  readonly reason: string;
  readonly headers: Fields;
  readonly body: string;
};

/** The name in `Proxy-Status` where `Via`, which it shares, is turned off. */
const PSEUDONYM = 'signalbox';

/** A refusal as its answer: problem details (RFC 9457) and Proxy-Status (RFC 9209). */
export function problemAnswer(refusal: Refusal, stamp: Stamp, extra: Fields): RefusalAnswer {
  const { status, title, detail, error } = REFUSALS[refusal.cause];
  const body = `${JSON.stringify({
    type: 'about:blank',
    title,
    status,
    detail: refusal.detail ?? detail,
    error,
    request_id: stamp.requestId,
  })}\n`;
  const length = `${Buffer.byteLength(body)}`;
  const headers = Fields.of(['Content-Type', 'application/problem+json', 'Content-Length', length]);
  addStamp(headers, stamp, null);
  addRefusal(headers, refusal, stamp);
  headers.append(extra);
  return { status, reason: title, headers, body };
}

const ALLOW = fieldName('Allow');
const PROXY_STATUS = fieldName('Proxy-Status');
const RETRY_AFTER = fieldName('Retry-After');
const WWW_AUTHENTICATE = fieldName('WWW-Authenticate');

/** What says why, and what to do about it, in headers. */
export function addRefusal(headers: Fields, refusal: Refusal, { names }: Stamp): void {
  const answer = REFUSALS[refusal.cause];
  const { proxyStatus } = answer;
  if (proxyStatus !== undefined) {
    headers.add(PROXY_STATUS, `${names.via ?? PSEUDONYM}; error=${proxyStatus}`);
  }
  if ('challenge' in refusal) headers.add(WWW_AUTHENTICATE, refusal.challenge);
  if ('allow' in refusal) headers.add(ALLOW, refusal.allow);
  const { retryAfterSeconds } = 'retryAfterSeconds' in refusal ? refusal : answer;
  if (retryAfterSeconds !== undefined) headers.add(RETRY_AFTER, `${retryAfterSeconds}`);
}
