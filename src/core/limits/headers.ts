import { quoted } from '../quoted-string.ts';
import type { Quota } from '../table.ts';
import type { Decision } from './decision.ts';

/**
 * Appends what a client is told of its limit to flat pairs of header names and values: `RateLimit-Policy`
 * and `RateLimit` (draft-ietf-httpapi-ratelimit-headers), and the `X-Rate-Limit-*` of older clients.
 * Times are whole seconds, rounded up, so that who waits that long is never early.
 */
export function appendLimitHeaders(
  headers: string[],
  policyName: string,
  quota: Quota,
  decision: Readonly<Decision>,
): void {
  // Structured fields have only printable ASCII.
  const policy = quoted(policyName.replace(/[^ -~]/g, '?'));
  const resetSeconds = wholeSeconds(decision.resetMs);
  headers.push(
    'RateLimit-Policy',
    `${policy};q=${quota.requests};w=${wholeSeconds(quota.windowMs)}`,
    'RateLimit',
    `${policy};r=${decision.remaining};t=${resetSeconds}`,
    'X-Rate-Limit-Limit',
    `${decision.limit}`,
    'X-Rate-Limit-Remaining',
    `${decision.remaining}`,
    'X-Rate-Limit-Reset',
    `${resetSeconds}`,
  );
}

/** Value of a refusal's Retry-After: at least 1, as 0 would invite the client to try at once. */
export function retryAfterSeconds(decision: Readonly<Decision>): number {
  return Math.max(1, wholeSeconds(decision.retryAfterMs));
}

function wholeSeconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
