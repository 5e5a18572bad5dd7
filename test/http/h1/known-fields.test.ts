import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { COMMON_SPELLINGS } from '#core/header-names.ts';
import { HeadParser } from '#http/h1/head-parser.ts';
import { RequestLine } from '#http/h1/start-lines.ts';
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

  it('stay in memory no longer than their head where they are long', () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const value = 'v'.repeat(500_000);
    const read = (name: string) => {
      const parser = new HeadParser(new RequestLine(), { bytesMax: 1_000_000, fieldsMax: 1 });
      return parser.parse(bytesOf(`GET / HTTP/1.1\r\n${name}: ${value}\r\n\r\n`), 0);
    };
    collect();
    const before = process.memoryUsage().heapUsed;
    for (const name of COMMON_SPELLINGS.slice(0, 100)) assert.ok(read(name) > value.length);
    collect();
    assert.ok(process.memoryUsage().heapUsed - before < 10_000_000);
  });
});
