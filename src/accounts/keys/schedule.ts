/** When each of our own keys does what: it is published, then signs, then only verifies what it signed. */

import type { SigningKey } from '#accounts/store/contract.ts';

/** How long others may keep the document with our public keys: RFC 9111, `max-age`. */
export const JWKS_MAX_AGE_SECONDS = 300;

/** A key is published this long before it signs, so that everybody has read of it by then. */
export const PUBLISHED_BEFORE_MS = 2 * JWKS_MAX_AGE_SECONDS * 1000;

/** How long instances may go on signing with a key that was replaced, and clocks may differ. */
const LATE_MS = 5 * 60_000;

export type KeyState = 'published' | 'signing' | 'retiring';

type Times = Pick<SigningKey, 'kid' | 'activatesAtMs' | 'retiresAtMs'>;

/** The keys that verify, `keys` being in the order in which they become active. */
export function liveKeys<Key extends Times>(keys: readonly Key[], nowMs: number): Key[] {
  return keys.filter(({ retiresAtMs }) => retiresAtMs === null || retiresAtMs > nowMs);
}

/** The newest that is active; should our clock be behind that of whoever made the first one, that one. */
export function signingKey<Key extends Times>(keys: readonly Key[], nowMs: number): Key | undefined {
  const live = liveKeys(keys, nowMs);
  return live.findLast(({ activatesAtMs }) => activatesAtMs <= nowMs) ?? live[0];
}

export function stateOf(key: Times, keys: readonly Times[], nowMs: number): KeyState {
  if (key.kid === signingKey(keys, nowMs)?.kid) return 'signing';
  return key.activatesAtMs > nowMs ? 'published' : 'retiring';
}

/** When a key ends that `next` replaces: when the last token it signed has expired, with time to spare. */
export function retirementMs(next: Times, accessTokenSeconds: number): number {
  return next.activatesAtMs + accessTokenSeconds * 1000 + LATE_MS;
}
