import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TEXT } from '#http/h1/bytes.ts';
import { sameBytes, skipText, viewOf } from '#http/h1/words.ts';

const byte = fc.oneof(fc.nat(255), fc.constantFrom(9, 31, 32, 126, 127, 128, 255));
const text = byte.filter((code) => TEXT[code] === 1);
const view = (codes: readonly number[]) => new DataView(Uint8Array.from(codes).buffer);

describe('bytes, four at a time', () => {
  it('are passed by while they are text, and none that is not', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 20 }), byte, fc.nat(9), (codes, last, from) => {
        const all = [...codes, last, ...codes];
        const textEnd = all.findIndex((code, at) => at >= from && TEXT[code] !== 1);
        const to = textEnd === -1 ? all.length : textEnd;
        const at = skipText(view(all), from, Math.max(from, all.length));
        assert.ok(at <= Math.max(from, to));
        if (all.slice(0, to).every((code) => code >= 0x20 && code < 0x7f)) assert.ok(at > to - 4);
      }),
      { numRuns: 2000 },
    );
  });

  it('are counted as far as they are the same', () => {
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 30 }),
        byte,
        fc.nat(30),
        fc.nat(9),
        (codes, other, place, shift) => {
          const changed = codes.map((code, at) => (at === place ? other : code));
          const same = codes.findIndex((code, at) => code !== changed[at]);
          const shifted = view([...new Array(shift).fill(0), ...changed]);
          const counted = sameBytes(shifted, shift, view(codes), 0, codes.length);
          assert.equal(counted, same === -1 ? codes.length : same);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('are seen as they are, whatever buffer was looked at before', () => {
    const buffers = ['a', 'b', 'c'].map((text) => Buffer.alloc(8, text));
    for (const at of [0, 1, 0, 2, 1, 1, 2, 0]) {
      const bytes = buffers[at] ?? Buffer.of();
      assert.equal(viewOf(bytes).getUint8(0), bytes[0]);
    }
  });
});
