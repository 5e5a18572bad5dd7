import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { newUuid } from '#accounts/uuid.ts';

const timeMs = fc.nat({ max: 2 ** 48 - 1 });

describe('newUuid', () => {
  it('gives version 7 and the variant of RFC 9562, in lower case', () => {
    fc.assert(
      fc.property(timeMs, (nowMs) => {
        assert.match(newUuid(nowMs), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      }),
    );
  });

  it('sorts by time', () => {
    fc.assert(
      fc.property(timeMs, timeMs, (a, b) => {
        if (a !== b) assert.equal(newUuid(a) < newUuid(b), a < b);
      }),
    );
  });

  it('never gives the same one twice', () => {
    const ids = new Set(Array.from({ length: 10_000 }, () => newUuid(1_800_000_000_000)));
    assert.equal(ids.size, 10_000);
  });
});
