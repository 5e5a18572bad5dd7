import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BodyReader } from '#http/h1/body-reader.ts';
import type { Framing } from '#http/h1/framing.ts';
import { bytesOf, cut, places } from './pieces.ts';

/** Reads one body after the other out of pieces, each as `data` and where it ended. */
function hear(framings: readonly Framing[], pieces: readonly Buffer[]): string[] {
  const reader = new BodyReader();
  const bodies: string[] = [];
  let data = '';
  let isWithin = false;
  for (const piece of pieces) {
    for (let at = 0; ; at = reader.at) {
      if (!isWithin) {
        const framing = framings[bodies.length];
        if (framing === undefined) return bodies;
        reader.begin(framing);
        isWithin = true;
      }
      const step = reader.step(piece, at);
      if (step === 'data') data += piece.toString('latin1', reader.from, reader.at);
      else if (step === 'complete') {
        bodies.push(data);
        data = '';
        isWithin = false;
      } else break;
    }
  }
  return data === '' ? bodies : [...bodies, `${data}…`];
}

describe('bodies on one connection', () => {
  const framings: Framing[] = [
    { kind: 'length', bytes: 3 },
    { kind: 'none' },
    { kind: 'chunked' },
    { kind: 'length', bytes: 1 },
    { kind: 'chunked' },
    { kind: 'until_close' },
  ];
  const bytes = bytesOf('abc2\r\nde\r\n0\r\nX: y\r\n\r\nf0\r\n\r\nghi');

  it('are read one after the other, in any pieces', () => {
    fc.assert(
      fc.property(places, (places) => {
        assert.deepEqual(hear(framings, cut(bytes, places)), ['abc', '', 'de', 'f', '', 'ghi…']);
      }),
    );
  });

  it('have trailers only if they are chunked', () => {
    const reader = new BodyReader();
    reader.begin({ kind: 'chunked' });
    assert.equal(reader.step(bytesOf('0\r\nX: y\r\n\r\n'), 0), 'complete');
    assert.deepEqual(reader.takeTrailers(), ['X', 'y']);
    assert.deepEqual(reader.takeTrailers(), [], 'they are not kept');
    reader.begin({ kind: 'length', bytes: 1 });
    assert.deepEqual(reader.takeTrailers(), []);
  });

  it('that are broken say how', () => {
    const reader = new BodyReader();
    reader.begin({ kind: 'chunked' });
    assert.equal(reader.fault, null);
    assert.equal(reader.step(bytesOf('zz'), 0), 'faulty');
    assert.equal(reader.fault, 'bad_chunk_size');
  });

  it('are read up to the end that is told, whatever stands behind it', () => {
    const bodies: [Framing, string][] = [
      [{ kind: 'length', bytes: 5 }, 'abcde'],
      [{ kind: 'chunked' }, '0a;b="\\"c"\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n'],
      [{ kind: 'until_close' }, 'abc'],
    ];
    for (const [framing, text] of bodies) {
      const bytes = bytesOf(text);
      for (let end = 0; end < bytes.length; end++) {
        const reader = new BodyReader();
        reader.begin(framing);
        let step = reader.step(bytes, 0, end);
        while (step === 'data' && reader.at < end) step = reader.step(bytes, reader.at, end);
        assert.notEqual(step, 'complete');
        assert.equal(reader.at, end);
      }
    }
  });
});
