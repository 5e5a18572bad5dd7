import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { commonName } from '#http/h1/common-names.ts';
import { HeadParser } from '#http/h1/head-parser.ts';
import { LINE_BYTES_MAX } from '#http/h1/known-lines.ts';
import { RequestLine, StatusLine } from '#http/h1/start-lines.ts';
import { viewOf } from '#http/h1/words.ts';
import { bytesOf, cut, hear, hearRequest, hearResponse, LIMITS, places } from './pieces.ts';

/** The name of the line that is known in place of this one, as whoever has read it as a field asks. */
function known(name: string, value: string): string | null {
  const line = bytesOf(`${name}: ${value}\r\n`);
  const view = viewOf(line);
  const found = commonName(line, view, 0, name.length)?.find(view, 0, line.length, 0) ?? null;
  if (found === null) return null;
  assert.equal(found.bytes, line.length);
  assert.equal(found.sameBytes(view, 0, line.length), line.length);
  return found.name.spelling;
}

describe('a line of a head', () => {
  it('is known when it has come twice', () => {
    assert.equal(known('Accept', 'known/twice'), null);
    for (let times = 0; times < 2; times++) assert.equal(known('Accept', 'known/twice'), 'Accept');
    assert.equal(known('accept', 'known/twice'), null);
  });

  it('stays known whatever comes once', () => {
    for (let times = 0; times < 3; times++) known('Content-Type', 'stays/known');
    for (let other = 0; other < 100; other++) known('Content-Type', `comes/once-${other}`);
    assert.equal(known('Content-Type', 'stays/known'), 'Content-Type');
  });

  it('is kept nowhere when it is a secret, or long', () => {
    const tooLong = 'x'.repeat(LINE_BYTES_MAX);
    for (let times = 0; times < 3; times++) {
      for (const name of ['Authorization', 'authorization', 'Cookie', 'Set-Cookie', 'X-API-Key'])
        assert.equal(known(name, 'secret'), null);
      assert.equal(known('User-Agent', tooLong), null);
    }
  });
});

const NAMES = [
  'Host',
  'host',
  'Accept',
  'Accep',
  'Cookie',
  'Content-Length',
  'ETag',
  'X-Own',
  'Authorization',
];
const VALUES = [
  '',
  'a',
  'b',
  'ab',
  'a b',
  '\xe9\xff',
  '12345678',
  '12345679',
  '123456789',
  'a\tb',
  'c'.repeat(60),
];
const line = fc
  .tuple(fc.constantFrom(...NAMES), fc.constantFrom(': ', ':', ':  ', ':\t'), fc.constantFrom(...VALUES))
  .map((parts) => `${parts.join('')}\r\n`);
const strange = fc.constantFrom(0, 9, 10, 13, 32, 58, 65, 127, 128, 200);
const changes = fc.array(fc.tuple(fc.nat(400), strange), { maxLength: 1 });
/** After its start line: nearly as it should be. */
const fields = fc
  .tuple(fc.array(line, { maxLength: 8 }), fc.oneof(fc.constant([]), changes))
  .map(([lines, changes]) => {
    const bytes = bytesOf(`${lines.join('')}\r\n`);
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return bytes;
  });

const said = (line: RequestLine | StatusLine, { fields }: HeadParser) =>
  line instanceof RequestLine
    ? [line.method, line.target, line.minor, ...fields.flat()]
    : [line.status, line.reason, line.minor, ...fields.flat()];

/** Read byte by byte no line is known while it is read, and nothing is expected of it. */
const byteByByte = (bytes: Buffer) => [...bytes].map((byte) => Buffer.of(byte));

describe('heads one after the other', () => {
  it('are each read as if there had been no other, in any pieces', () => {
    fc.assert(
      fc.property(fc.array(fields, { maxLength: 8 }), places, fc.boolean(), (heads, places, isRequest) => {
        const line = isRequest ? new RequestLine() : new StatusLine();
        const start = bytesOf(isRequest ? 'GET /x HTTP/1.1\r\n' : 'HTTP/1.1 200 OK\r\n');
        const hearAlone = isRequest ? hearRequest : hearResponse;
        const parser = new HeadParser(line, LIMITS);
        for (const fields of heads) {
          const bytes = Buffer.concat([start, fields]);
          const alone = hearAlone(byteByByte(bytes));
          const heard = hear(parser, cut(bytes, places), () => said(line, parser));
          assert.deepEqual(heard, alone);
          if (parser.fault !== null || alone === null) return;
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('have the same bounds, known or not', () => {
    const limits = { bytesMax: 60, fieldsMax: 2 };
    const parser = new HeadParser(new RequestLine(), limits);
    const ofFields = (count: number) => bytesOf(`GET / HTTP/1.1\r\n${'Host: x\r\n'.repeat(count)}\r\n`);
    for (let times = 0; times < 4; times++) assert.equal(parser.parse(ofFields(2), 0), ofFields(2).length);
    parser.parse(ofFields(3), 0);
    assert.equal(parser.fault, 'too_many_fields');

    const other = new HeadParser(new RequestLine(), limits);
    const ofBytes = (value: string) => bytesOf(`GET / HTTP/1.1\r\nHost: x\r\nVia: ${value}\r\n\r\n`);
    const fits = 'v'.repeat(60 - ofBytes('').length);
    for (let times = 0; times < 4; times++) assert.equal(other.parse(ofBytes(fits), 0), 60);
    other.parse(ofBytes(`${fits}v`), 0);
    assert.equal(other.fault, 'head_too_large');
  });

  it('keep their strings, whatever is read into their bytes afterwards', () => {
    const parser = new HeadParser(new RequestLine(), LIMITS);
    const bytes = bytesOf('GET / HTTP/1.1\r\nHost: first\r\nX-Own: one\r\n\r\n');
    for (let times = 0; times < 3; times++) parser.parse(bytes, 0);
    const { fields } = parser;
    bytes.fill('x');
    parser.parse(bytesOf('GET / HTTP/1.1\r\nHost: other\r\nX-Own: two\r\n\r\n'), 0);
    assert.deepEqual(fields.flat(), ['Host', 'first', 'X-Own', 'one']);
    assert.deepEqual(parser.fields.flat(), ['Host', 'other', 'X-Own', 'two']);
  });
});
