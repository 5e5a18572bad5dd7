import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { heartbeatOf, heartbeatType, OPINIONS_PER_MESSAGE_MAX, wordOf } from '#control/health/heartbeat.ts';
import type { Opinion } from '#core/agreement/opinion.ts';
import { placeIdOf } from '#core/registry/record.ts';

describe('a heartbeat', () => {
  // Names with quotes, which take two bytes each, once ended the instance that had to say them.
  it('has room for as many opinions as it may hold, whatever they are about', () => {
    const zone = 'z'.repeat(253 - 'fe80::1%'.length);
    const upstream = {
      pool: 'p'.repeat(64),
      name: '"'.repeat(256),
      address: `fe80::1%${zone}`,
      port: 65_535,
    };
    const opinion: Opinion = { verdict: 'unknown', reason: '"'.repeat(80) };
    const opinions = Array.from({ length: OPINIONS_PER_MESSAGE_MAX }, (): [string, Opinion] => [
      placeIdOf(upstream),
      opinion,
    ]);
    const word = {
      from: 'i'.repeat(64),
      stamp: { incarnation: Number.MAX_SAFE_INTEGER, sequence: Number.MAX_SAFE_INTEGER },
      introduction: {
        version: '9'.repeat(64),
        revision: Number.MAX_SAFE_INTEGER,
        checksum: '"'.repeat(128),
        watchAgeMs: Number.MAX_SAFE_INTEGER,
      },
      isLeaving: false,
      opinions,
    };
    const type = heartbeatType();
    const decoded = type.decode(type.encode(heartbeatOf(word)) ?? assert.fail('too large'));
    assert.deepEqual(decoded.ok && wordOf(decoded.message), word);
  });
});
