import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isField, requestHead } from '#http/h1/write-head.ts';
import { bytesOf, hearRequest } from './pieces.ts';

const NAMES = ['Accept', 'accept', 'Authorization', 'Host', 'X-Own', 'X-Request-ID', 'Via', 'ETag'];
const name = fc.constantFrom(...NAMES);
const value = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'b',
    'c'.repeat(300),
    '1.1 signalbox',
    'a\r\nHost: b',
    '\0',
    '\x7f',
    'a\n',
    'b\r',
    '€',
  ),
  fc.string({ maxLength: 6, unit: 'binary' }),
);
/** Looked at by the character. */
const isText = (value: string) =>
  [...value].every((char) => char === '\t' || (char >= ' ' && char !== '\x7f' && char <= '\xff'));

describe('fields that come again', () => {
  it('are written as they are, and none is that would break out of its line', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 20 }), (fields) => {
        for (const [name, value] of [...fields, ...fields]) {
          assert.equal(isField(name, value), isText(value));
          const head = `GET / HTTP/1.1\r\n${name}: ${value}\r\n\r\n`;
          assert.equal(requestHead('GET', '/', [name, value]), isText(value) ? head : null);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('are those that were read, and no others, where values are not kept', () => {
    for (const [name, other] of [
      ['Cookie', 'a\r\nb: c'],
      ['Authorization', 'a\n'],
      ['ETag', 'a\0'],
    ] as const) {
      const value = `read under ${name}`;
      assert.notEqual(hearRequest([bytesOf(`GET / HTTP/1.1\r\n${name}: ${value}\r\n\r\n`)]), null);
      for (let times = 0; times < 2; times++) {
        assert.equal(requestHead('GET', '/', [name, value]), `GET / HTTP/1.1\r\n${name}: ${value}\r\n\r\n`);
        for (const bad of [other, value + other, `${value}\r`]) assert.equal(isField(name, bad), false);
      }
    }
  });
});
