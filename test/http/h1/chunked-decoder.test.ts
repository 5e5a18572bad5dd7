import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EXTENSION_BYTES_MAX, TRAILER_LIMITS } from '#http/h1/chunked-decoder.ts';
import { chunkHead, lastChunk } from '#http/h1/write-head.ts';
import { bytesOf, cut, hearChunks, places } from './pieces.ts';

const hear = (text: string) => hearChunks([bytesOf(text)]);

const chunk = (data: string) => `${chunkHead(data.length)}${data}\r\n`;

describe('a chunked body', () => {
  it('is read as the data that was sent', () => {
    assert.deepEqual(hear('5\r\nhello\r\n6;a="b c"\r\n world\r\n0\r\n\r\nGET'), {
      data: 'hello world',
      end: 'complete',
      trailers: [],
      rest: 'GET',
    });
  });

  it('may have sizes with zeros in front, and of either case', () => {
    assert.equal(hear('000A\r\n0123456789\r\n00a\r\n0123456789\r\n000\r\n\r\n').data, '0123456789'.repeat(2));
  });

  it('may have white space in front of an extension', () => {
    assert.equal(hear('1 \t;a\r\nx\r\n0 ;b\r\n\r\n').end, 'complete');
  });

  it('may have trailers, of which none may say what had to come before', () => {
    const { trailers } = hear('0\r\nX-Sum: 1\r\nContent-Length: 5\r\nHost: x\r\nTE: y\r\nx-sum: 2\r\n\r\n');
    assert.deepEqual(trailers, ['X-Sum', '1', 'x-sum', '2']);
  });

  const faults: Record<string, readonly string[]> = {
    bad_chunk_size: [
      '\r\n',
      '-1\r\n',
      '+1\r\n',
      '0x1\r\n',
      ' 1\r\n',
      '1 \r\n',
      '1,2\r\n',
      'g\r\n',
      ';a\r\n',
      '1\n',
      '1 1\r\n',
      '\xb9',
    ],
    chunk_too_large: [`${'f'.repeat(14)}\r\n`, `${'0'.repeat(17)}\r\n`],
    chunk_extension_too_large: [
      `1;${'a'.repeat(EXTENSION_BYTES_MAX + 1)}`,
      `1${' '.repeat(EXTENSION_BYTES_MAX + 1)}`,
    ],
    open_quote: ['5;a="\r\nhello\r\n0\r\n\r\n"\r\n', '1;a="b\\"\r\n', '1;a="""\r\n'],
    bad_chunk_end: ['1\r\nab\r\n', '1\r\na\n0\r\n\r\n', '1\r\na\r0\r\n\r\n', '1\r\na0\r\n'],
    bare_lf: ['1;a\n', '0\r\n\n', '0\r\nA: b\n'],
    bare_cr: ['1\ra', '1;a\ra', '0\r\n\r\r'],
    control_character: ['1;\0', '1;a\x7f'],
    obs_fold: ['0\r\n A: b\r\n\r\n', '0\r\nA: b\r\n c\r\n\r\n'],
    bad_field_name: ['0\r\nXX\r\n\r\n', '0\r\n: x\r\n\r\n'],
    head_too_large: [`0\r\nA: ${'b'.repeat(TRAILER_LIMITS.bytesMax)}`],
    too_many_fields: [`0\r\n${'A: b\r\n'.repeat(TRAILER_LIMITS.fieldsMax + 1)}\r\n`],
  };
  for (const [fault, texts] of Object.entries(faults)) {
    it(`may have a fault: ${fault}`, () => {
      for (const text of texts) assert.equal(hear(text).end, fault, JSON.stringify(text.slice(0, 40)));
    });
  }

  it('that breaks off is incomplete', () => {
    const whole = '5\r\nhello\r\n0\r\nA: b\r\n\r\n';
    for (let length = 0; length < whole.length; length++)
      assert.equal(hear(whole.slice(0, length)).end, 'incomplete');
    assert.equal(hear(whole).end, 'complete');
  });
});

describe('any chunked body', () => {
  const datum = fc
    .array(fc.nat(255), { minLength: 1, maxLength: 40 })
    .map((codes) => String.fromCharCode(...codes));
  const data = fc.array(datum, { maxLength: 5 });
  const write = (data: readonly string[], trailers: readonly string[]) =>
    data.map(chunk).join('') + lastChunk(trailers);

  it('that was written is read as it was, in any pieces', () => {
    fc.assert(
      fc.property(data, datum, places, (data, rest, places) => {
        const heard = hearChunks(cut(bytesOf(write(data, ['X-A', 'b']) + rest), places));
        assert.deepEqual(heard, { data: data.join(''), end: 'complete', trailers: ['X-A', 'b'], rest });
      }),
    );
  });

  it('with any bytes changed is heard the same in any pieces', () => {
    const strange = fc.constantFrom(0, 10, 13, 32, 48, 49, 59, 102, 255);
    const changes = fc.array(fc.tuple(fc.nat(200), strange), { maxLength: 4 });
    fc.assert(
      fc.property(data, changes, places, (data, changes, places) => {
        const bytes = bytesOf(write(data, ['X-A', 'b']));
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        assert.deepEqual(hearChunks(cut(bytes, places)), hearChunks([bytes]));
      }),
      { numRuns: 1000 },
    );
  });
});
