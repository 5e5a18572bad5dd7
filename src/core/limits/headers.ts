import { fieldName } from '../field-names.ts';
import type { Fields } from '../fields.ts';
import { interned } from '../own-text.ts';
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
  const { start } = policyOf(policyName, quota);
  // Numbers are made text once: that costs as much as the rest of it.
  const remaining = `${decision.remaining}`;
  const reset = resetLines(wholeSeconds(decision.resetMs));
  fields.addLines(NAMES, `${start}${remaining}${reset}${remaining}`);
}

const POLICY = fieldName('RateLimit-Policy');
const LIMIT = fieldName('X-Rate-Limit-Limit');
const STATE = fieldName('RateLimit');
const RESET = fieldName('X-Rate-Limit-Reset');
const REMAINING = fieldName('X-Rate-Limit-Remaining');

/** In order. */
const NAMES = [POLICY, LIMIT, STATE, RESET, REMAINING];

/** Of fewer seconds than that, what is said of them is made once. */
const RESETS_KNOWN = 64;
const knownResets: string[] = [];

/** From the end of `RateLimit` to where `X-Rate-Limit-Remaining` says how many. */
function resetLines(seconds: number): string {
  const known = knownResets[seconds];
  if (known !== undefined) return known;
  const lines = `;t=${seconds}${RESET.start}${seconds}${REMAINING.start}`;
  if (seconds < RESETS_KNOWN) knownResets[seconds] = interned(lines);
  return lines;
}

/** What never changes: all up to where `RateLimit` says how many are left. */
type Policy = { readonly of: string; readonly start: string };

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
  const policy = `${name};q=${quota.requests};w=${wholeSeconds(quota.windowMs)}`;
  const lines = `${POLICY.start}${policy}${LIMIT.start}${quota.requests}${STATE.start}${name};r=`;
  return { of: policyName, start: interned(lines) };
}

/** Value of a refusal's Retry-After: at least 1, as 0 would invite the client to try at once. */
export function retryAfterSeconds(decision: Readonly<Decision>): number {
  return Math.max(1, wholeSeconds(decision.retryAfterMs));
}

function wholeSeconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
