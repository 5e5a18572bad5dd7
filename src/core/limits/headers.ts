import { fieldName } from '../field-names.ts';
import { Fields } from '../fields.ts';
import { wholeText } from '../own-text.ts';
import { quoted } from '../quoted-string.ts';
import type { Quota } from '../table.ts';
import { WeakLookup } from '../weak-lookup.ts';
import type { Decision } from './decision.ts';

/**
 * Adds what a client is told of its limit: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers),
 * and the `X-Rate-Limit-*` of older clients.
 * Times are whole seconds, rounded up, so that who waits that long is never early.
 */
export function addLimitHeaders(
  fields: Fields,
  policyName: string,
  quota: Quota,
  decision: Readonly<Decision>,
): void {
  const { fixed, start } = policyOf(policyName, quota);
  // Numbers are made text once: that costs as much as the rest of it.
  const remaining = `${decision.remaining}`;
  const resetSeconds = `${wholeSeconds(decision.resetMs)}`;
  fields.append(fixed);
  fields.addText(STATE, `${start}${remaining};t=${resetSeconds}`);
  fields.addText(REMAINING, remaining);
  fields.addText(RESET, resetSeconds);
}

const STATE = fieldName('RateLimit');
const REMAINING = fieldName('X-Rate-Limit-Remaining');
const RESET = fieldName('X-Rate-Limit-Reset');

/** How `RateLimit` begins, and the headers that never change. */
type Policy = { readonly of: string; readonly start: string; readonly fixed: Fields };

const policies = new WeakLookup<Quota, Policy>();

/** Made once for a quota, which is of one policy. */
function policyOf(policyName: string, quota: Quota): Policy {
  const known = policies.get(quota);
  if (known === undefined) return policies.add(quota, makePolicy(policyName, quota));
  return known.of === policyName ? known : makePolicy(policyName, quota);
}

function makePolicy(policyName: string, quota: Quota): Policy {
  // Structured fields have only printable ASCII.
  const name = quoted(policyName.replace(/[^ -~]/g, '?'));
  const text = `${name};q=${quota.requests};w=${wholeSeconds(quota.windowMs)}`;
  const fixed = Fields.of(['RateLimit-Policy', text, 'X-Rate-Limit-Limit', `${quota.requests}`]).settle();
  return { of: policyName, start: wholeText(`${name};r=`), fixed };
}

/** Value of a refusal's Retry-After: at least 1, as 0 would invite the client to try at once. */
export function retryAfterSeconds(decision: Readonly<Decision>): number {
  return Math.max(1, wholeSeconds(decision.retryAfterMs));
}

function wholeSeconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
