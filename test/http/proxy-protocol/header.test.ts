import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DETAILS_BYTES_MAX, LINE_BYTES_MAX, parseProxyHeader } from '#http/proxy-protocol/header.ts';
import { binaryHeader, TCP4, TCP6, UNIX } from './headers.ts';

const bytesOf = (text: string) => Buffer.from(text, 'latin1');

/** What is announced, or what is wrong. */
function read(bytes: Buffer | string) {
  const header = parseProxyHeader(typeof bytes === 'string' ? bytesOf(bytes) : bytes);
  return typeof header === 'string' ? header : header.address;
}

const LOCAL = 0x20;

describe('a header of version 1', () => {
  for (const [line, address] of [
    ['PROXY TCP4 192.0.2.7 198.51.100.1 56324 443', '192.0.2.7'],
    ['PROXY TCP6 2001:DB8::1 2001:db8::2 1 65535', '2001:db8::1'],
    ['PROXY TCP6 ::ffff:192.0.2.7 2001:db8::2 1 2', '192.0.2.7'],
    ['PROXY UNKNOWN', null],
    ['PROXY UNKNOWN whatever this may mean', null],
    ['PROXY TCP4 192.0.2.7 198.51.100.1 56324', 'malformed'],
    ['PROXY TCP4 192.0.2.7 198.51.100.1 56324 443 1', 'malformed'],
    ['PROXY TCP4 192.0.2.7 198.51.100.1 65536 443', 'malformed'],
    ['PROXY TCP4 192.0.2.256 198.51.100.1 1 2', 'malformed'],
    ['PROXY TCP4 2001:db8::1 2001:db8::2 1 2', 'malformed'],
    ['PROXY TCP6 192.0.2.7 198.51.100.1 1 2', 'malformed'],
    ['PROXY TCP4  192.0.2.7 198.51.100.1 1 2', 'malformed'],
    ['PROXY UDP4 192.0.2.7 198.51.100.1 1 2', 'malformed'],
    ['PROXY UNKNOWNS', 'malformed'],
    ['proxy TCP4 192.0.2.7 198.51.100.1 1 2', 'malformed'],
    ['GET / HTTP/1.1', 'malformed'],
  ] as const) {
    it(`says of whom it is: ${line}`, () => assert.equal(read(`${line}\r\n`), address));
  }

  it('is no longer than it may be, and ends in CRLF', () => {
    const start = 'PROXY UNKNOWN ';
    const longest = start.padEnd(LINE_BYTES_MAX - 2, 'x');
    assert.equal(read(`${longest}\r\n`), null);
    assert.equal(read(`${longest}x\r\n`), 'malformed');
    assert.equal(read(longest), 'incomplete');
    assert.equal(read(`${start}\n`.padEnd(LINE_BYTES_MAX)), 'malformed');
  });
});

describe('a header of version 2', () => {
  it('says of whom it is', () => {
    assert.equal(read(binaryHeader({ family: TCP4, source: [192, 0, 2, 7] })), '192.0.2.7');
    const source = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    assert.equal(read(binaryHeader({ family: TCP6, source })), '2001:db8::1');
    const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7];
    assert.equal(read(binaryHeader({ family: TCP6, source: mapped })), '192.0.2.7');
  });

  it('may say nothing of it', () => {
    assert.equal(read(binaryHeader({ family: UNIX })), null);
    assert.equal(read(binaryHeader({ family: 0 })), null);
    assert.equal(read(binaryHeader({ command: LOCAL, family: TCP4, source: [192, 0, 2, 7] })), null);
    assert.equal(read(binaryHeader({ command: LOCAL, family: 0x77, detailsBytes: 3 })), null);
  });

  it('may have more to say, within a bound', () => {
    const source = [192, 0, 2, 7];
    assert.equal(read(binaryHeader({ family: TCP4, source, detailsBytes: DETAILS_BYTES_MAX })), '192.0.2.7');
    const tooLong = binaryHeader({ family: TCP4, source, detailsBytes: DETAILS_BYTES_MAX + 1 });
    assert.equal(read(tooLong.subarray(0, 16)), 'malformed');
  });

  for (const [what, header] of [
    ['another version', binaryHeader({ command: 0x11 })],
    ['another command', binaryHeader({ command: 0x22 })],
    ['datagrams', binaryHeader({ family: 0x12, detailsBytes: 12 })],
    ['no family there is', binaryHeader({ family: 0x41, detailsBytes: 12 })],
    ['less than its addresses', binaryHeader({ family: TCP6, detailsBytes: 12 })],
  ] as const) {
    it(`is malformed with ${what}`, () => assert.equal(read(header), 'malformed'));
  }
});

describe('any header', () => {
  const headers = fc.oneof(
    fc.ipV4().map((address) => bytesOf(`PROXY TCP4 ${address} 192.0.2.1 1 2\r\n`)),
    fc.ipV6().map((address) => bytesOf(`PROXY TCP6 ${address} ::1 1 2\r\n`)),
    fc
      .record({ source: fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }), more: fc.nat(300) })
      .map(({ source, more }) => binaryHeader({ family: TCP4, source, detailsBytes: 12 + more })),
  );

  it('is incomplete until its last byte has come, and ends there', () => {
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 40 }), (header, rest) => {
        const all = Buffer.concat([header, rest]);
        for (let length = 0; length < header.length; length++)
          assert.equal(parseProxyHeader(all.subarray(0, length)), 'incomplete');
        for (let length = header.length; length <= all.length; length++) {
          const read = parseProxyHeader(all.subarray(0, length));
          assert.ok(typeof read === 'object' && read.end === header.length && read.address !== null);
        }
      }),
    );
  });

  it('that is none is told before more is kept than the longest one has', () => {
    const bytesMax = 16 + DETAILS_BYTES_MAX;
    const starts = fc.constantFrom('PROXY ', '\r\n\r\n\0\r\nQUIT\n', '');
    fc.assert(
      fc.property(starts, fc.uint8Array({ maxLength: 200 }), (start, rest) => {
        const bytes = Buffer.concat([bytesOf(start), rest, Buffer.alloc(bytesMax)]);
        assert.notEqual(parseProxyHeader(bytes), 'incomplete');
      }),
    );
  });
});
