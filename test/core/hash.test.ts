import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HashedText, type HashKey, hash32, hash64 } from '#core/hash.ts';
import { integerBelow, seededRandom } from '#core/random.ts';

const KEY: HashKey = [0x03020100, 0x07060504];

/**
 * HalfSipHash-1-3 of the bytes 0, 1, 2 … length − 1 under the bytes 0 … 7: by the reference code, compiled
 * with cROUNDS=1 and dROUNDS=3. The 32-bit column is also in Linux' lib/tests/siphash_kunit.c.
 */
const VECTORS: readonly (readonly [length: number, hash: number, low: number, high: number])[] = [
  [0, 0x5814c896, 0x21d0a576, 0x2af72023],
  [2, 0xbc4b0e30, 0xe11fee78, 0x32d73c5d],
  [4, 0x7e059ea6, 0xa0db24eb, 0x05ae8c71],
  [6, 0xa0080b65, 0xc6e065af, 0x02d6f54d],
  [8, 0x577999b1, 0x31a8cd3d, 0x5f7aec1d],
  [16, 0x8b31d501, 0xb9c5d756, 0xc22e3e3d],
  [30, 0x2331b6a3, 0xd81530ad, 0xdd3d8957],
  [32, 0xbc6dda8d, 0x0fee6e16, 0xf1b884c1],
  [62, 0x74c1ebf8, 0xe33adf7c, 0x1657deb2],
];

describe('HalfSipHash-1-3', () => {
  for (const [length, hash, low, high] of VECTORS) {
    it(`agrees with the reference on ${length} bytes`, () => {
      const text = Buffer.from(Array.from({ length }, (_, index) => index)).toString('utf16le');
      const out = new Int32Array(2);
      hash64(KEY, text, out);
      assert.equal(hash32(KEY, text) >>> 0, hash);
      assert.deepEqual([...new Uint32Array(out.buffer)], [low, high]);
    });
  }

  it('tells apart texts that differ in length or in one high byte alone', () => {
    const texts = ['', '\0', '\0\0', '\0\0\0', 'a', 'š', '\ud800', '\ud801'];
    assert.equal(new Set(texts.map((text) => hash32(KEY, text))).size, texts.length);
  });

  it('flips every bit of the result half of the time when one bit of the text or key flips', () => {
    const random = seededRandom(1);
    const word = () => integerBelow(random, 2 ** 32) | 0;
    const rounds = 4000;
    const flips = new Int32Array(64);
    for (let round = 0; round < rounds; round++) {
      const units = Array.from({ length: 9 }, () => integerBelow(random, 2 ** 16));
      const key: [number, number] = [word(), word()];
      const before = hashOf(key, units);
      const bit = integerBelow(random, 9 * 16 + 64);
      const unit = bit >> 4;
      if (unit < 9) units[unit] = (units[unit] ?? 0) ^ (1 << (bit & 15));
      else if (bit & 1) key[1] ^= 1 << ((bit >> 1) & 31);
      else key[0] ^= 1 << ((bit >> 1) & 31);
      const after = hashOf(key, units);
      for (let index = 0; index < 64; index++) {
        const half = index >> 5;
        flips[index] =
          (flips[index] ?? 0) + ((((before[half] ?? 0) ^ (after[half] ?? 0)) >>> (index & 31)) & 1);
      }
    }
    // Five standard deviations of a fair coin.
    const slack = 5 * Math.sqrt(rounds / 4);
    for (const count of flips) assert.ok(Math.abs(count - rounds / 2) < slack, `${count} of ${rounds}`);
  });

  it('spreads similar keys evenly over buckets', () => {
    const buckets = new Int32Array(256);
    const keys = 65_536;
    for (let client = 0; client < keys; client++) {
      const bucket = hash32(KEY, `10.0.${client >> 8}.${client & 255}`) & 255;
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    const due = keys / buckets.length;
    const chiSquare = buckets.reduce((sum, count) => sum + (count - due) ** 2 / due, 0);
    // 255 degrees of freedom: mean 255, standard deviation 22.6.
    assert.ok(chiSquare > 255 - 5 * 22.6 && chiSquare < 255 + 5 * 22.6, `chi square ${chiSquare}`);
  });
});

describe('a text with its hash', () => {
  it('has that of the key that was asked for last', () => {
    const text = new HashedText('client');
    const other: HashKey = [1, 2];
    for (const key of [KEY, KEY, other, KEY]) {
      text.hashWith(key);
      const out = new Int32Array(2);
      hash64(key, 'client', out);
      assert.deepEqual([text.low, text.high], [...out]);
    }
  });
});

function hashOf(key: HashKey, units: readonly number[]): Int32Array {
  const out = new Int32Array(2);
  hash64(key, String.fromCharCode(...units), out);
  return out;
}
