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
  const policy = policyOf(policyName, quota);
  // Numbers are made text once: that costs as much as the rest of it.
  const remaining = `${decision.remaining}`;
  const resetSeconds = `${wholeSeconds(decision.resetMs)}`;
  headers.push(
    'RateLimit-Policy',
    policy.text,
    'RateLimit',
    `${policy.name};r=${remaining};t=${resetSeconds}`,
    'X-Rate-Limit-Limit',
    `${decision.limit}`,
    'X-Rate-Limit-Remaining',
    remaining,
    'X-Rate-Limit-Reset',
    resetSeconds,
  );
}

type Policy = { readonly of: string; readonly name: string; readonly text: string };

const policies = new WeakMap<Quota, Policy>();

/** Made once for a quota. */
function policyOf(policyName: string, quota: Quota): Policy {
  const known = policies.get(quota);
  if (known?.of === policyName) return known;
  // Structured fields have only printable ASCII.
  const name = quoted(policyName.replace(/[^ -~]/g, '?'));
  const text = `${name};q=${quota.requests};w=${wholeSeconds(quota.windowMs)}`;
  const policy = { of: policyName, name, text };
  policies.set(quota, policy);
  return policy;
}

/** Value of a refusal's Retry-After: at least 1, as 0 would invite the client to try at once. */
export function retryAfterSeconds(decision: Readonly<Decision>): number {
  return Math.max(1, wholeSeconds(decision.retryAfterMs));
}

function wholeSeconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
