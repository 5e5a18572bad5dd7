import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  JWKS_MAX_AGE_SECONDS,
  liveKeys,
  PUBLISHED_BEFORE_MS,
  retirementMs,
  signingKey,
  stateOf,
} from '#accounts/keys/schedule.ts';

const NOW_MS = 1_000_000_000;
const ACCESS_SECONDS = 900;

const next = { kid: 'next', activatesAtMs: NOW_MS + PUBLISHED_BEFORE_MS, retiresAtMs: null };
const first = { kid: 'first', activatesAtMs: 0, retiresAtMs: retirementMs(next, ACCESS_SECONDS) };
const keys = [first, next];

function statesAt(nowMs: number): Record<string, string> {
  return Object.fromEntries(liveKeys(keys, nowMs).map((key) => [key.kid, stateOf(key, keys, nowMs)]));
}

describe('a rotation', () => {
  it('[33] publishes the new key before it signs, and verifies by the old one after that', () => {
    assert.deepEqual(statesAt(NOW_MS), { first: 'signing', next: 'published' });
    assert.deepEqual(statesAt(next.activatesAtMs - 1), { first: 'signing', next: 'published' });
    assert.deepEqual(statesAt(next.activatesAtMs), { first: 'retiring', next: 'signing' });
    assert.deepEqual(statesAt(first.retiresAtMs - 1), { first: 'retiring', next: 'signing' });
    assert.deepEqual(statesAt(first.retiresAtMs), { next: 'signing' });
  });

  it('[33] publishes it for longer than anybody keeps what was published before', () => {
    assert.ok(PUBLISHED_BEFORE_MS > JWKS_MAX_AGE_SECONDS * 1000);
  });

  it('[33] verifies by the old key until its last token has expired', () => {
    const lastSignedMs = next.activatesAtMs - 1;
    const leewayMs = 60_000;
    assert.ok(first.retiresAtMs > lastSignedMs + ACCESS_SECONDS * 1000 + leewayMs);
  });
});

describe('the key that signs', () => {
  it('is the first, where our clock is behind that of whoever made it', () => {
    const [early] = [{ kid: 'early', activatesAtMs: NOW_MS + 5000, retiresAtMs: null }];
    assert.equal(signingKey([early], NOW_MS)?.kid, 'early');
    assert.equal(stateOf(early, [early], NOW_MS), 'signing');
  });

  it('is none without keys', () => {
    assert.equal(signingKey([], NOW_MS), undefined);
  });
});
