import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { integerBelow, seededRandom, systemRandom } from '#core/random.ts';

describe('a seeded generator', () => {
  it('repeats itself from the same seed, and not from another', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed);
      return Array.from({ length: 8 }, () => random.float());
    };
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
  });

  it('fills [0, 1) evenly, whatever the seed', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = seededRandom(seed);
        const counts = new Array<number>(10).fill(0);
        for (let draws = 0; draws < 5000; draws++) {
          const tenth = Math.floor(random.float() * 10);
          counts[tenth] = (counts[tenth] ?? Number.NaN) + 1;
        }
        // Six standard deviations of a tenth of 5000 draws.
        for (const count of counts) assert.ok(Math.abs(count - 500) < 6 * 21.3, `${counts}`);
      }),
      { seed: 6, numRuns: 50 },
    );
  });
});

describe('an integer below a bound', () => {
  it('is one, for any bound up to 2^32', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.integer(), (bound, seed) => {
        const drawn = integerBelow(seededRandom(seed), bound);
        assert.ok(Number.isInteger(drawn) && drawn >= 0 && drawn < bound);
      }),
      { seed: 7 },
    );
    assert.equal(integerBelow({ float: () => 1 - 2 ** -53 }, 2 ** 32), 2 ** 32 - 1);
    assert.equal(integerBelow(systemRandom, 1), 0);
  });
});
