import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { newTraceId } from '#core/ids.ts';
import { isSampled } from '#core/trace/sampler.ts';

const LOWEST = `${'f'.repeat(19)}${'0'.repeat(13)}`;
const HIGHEST = `${'0'.repeat(19)}${'f'.repeat(13)}`;

describe('a sampler', () => {
  it('records all, none, or about its share', () => {
    const ids = Array.from({ length: 20_000 }, newTraceId);
    const share = (ratio: number) => {
      const sampler = { ratio, followsParent: false };
      return ids.filter((id) => isSampled(sampler, id, null)).length / ids.length;
    };
    assert.deepEqual([share(0), share(1)], [0, 1]);
    // Six standard deviations: fails once in a billion runs.
    assert.ok(Math.abs(share(0.25) - 0.25) < 0.019, `${share(0.25)}`);
  });

  it('with a higher ratio records whatever one with a lower ratio does', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (a, b) => {
          const id = newTraceId();
          const [low, high] = [Math.min(a, b), Math.max(a, b)];
          const lowSampled = isSampled({ ratio: low, followsParent: false }, id, null);
          const highSampled = isSampled({ ratio: high, followsParent: false }, id, null);
          assert.ok(!lowSampled || highSampled);
        },
      ),
    );
  });

  it('goes by the digits that are random in every trace id', () => {
    const sampler = { ratio: 0.5, followsParent: false };
    assert.deepEqual([isSampled(sampler, LOWEST, null), isSampled(sampler, HIGHEST, null)], [false, true]);
  });

  it('takes those digits for a number', () => {
    const digits = fc.stringMatching(/^[0-9a-f]{13}$/);
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 0.999, noNaN: true }), digits, (ratio, random) => {
        const isHigh = Number.parseInt(random, 16) >= (1 - ratio) * 16 ** 13;
        assert.equal(isSampled({ ratio, followsParent: false }, `${'5'.repeat(19)}${random}`, null), isHigh);
      }),
    );
  });

  it('follows whoever sent the request, if it is to', () => {
    const follows = { ratio: 0, followsParent: true };
    assert.equal(isSampled(follows, LOWEST, true), true);
    assert.equal(isSampled({ ratio: 1, followsParent: true }, HIGHEST, false), false);
    assert.equal(isSampled(follows, LOWEST, null), false);
    assert.equal(isSampled({ ratio: 1, followsParent: false }, LOWEST, false), true);
  });
});
