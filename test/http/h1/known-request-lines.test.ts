import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { knownRequest, REQUEST_LINE_BYTES_MAX } from '#http/h1/known-request-lines.ts';
import { RequestLine } from '#http/h1/start-lines.ts';
import { viewOf } from '#http/h1/words.ts';
import { bytesOf } from './pieces.ts';

function read(text: string) {
  const line = new RequestLine();
  const bytes = bytesOf(text);
  const fault = line.read(bytes, viewOf(bytes), 0, bytes.length);
  return fault ?? [line.method, line.target, line.minor];
}

function isKnown(text: string): boolean {
  const bytes = bytesOf(text);
  return knownRequest(viewOf(bytes), 0, bytes.length) !== null;
}

describe('a request line', () => {
  it('is known when it has come twice', () => {
    const line = 'GET /known/twice HTTP/1.1';
    read(line);
    assert.ok(!isKnown(line));
    read(line);
    assert.ok(isKnown(line));
    assert.ok(!isKnown('GET /known/twice HTTP/1.0'));
    assert.ok(!isKnown('GET /known/twicf HTTP/1.1'));
  });

  it('is not known when it has a query, is long, or is wrong', () => {
    const long = `GET /${'x'.repeat(REQUEST_LINE_BYTES_MAX)} HTTP/1.1`;
    for (const line of ['GET /asked?token=secret HTTP/1.1', long, 'GET /wrong  HTTP/1.1']) {
      for (let times = 0; times < 3; times++) read(line);
      assert.ok(!isKnown(line));
    }
  });

  it('says the same each time, and what others say that are much like it', () => {
    const method = fc.constantFrom('GET', 'GE', 'POST', 'G\x00T', '');
    const target = fc.constantFrom(
      '/',
      '/a',
      '/b',
      '*',
      '/\xe9',
      '/a b',
      '/12345678',
      '/12345679',
      '/a?b',
      '',
    );
    const version = fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1');
    const space = fc.constantFrom(' ', ' ', ' ', '  ', '\t');
    const line = fc.tuple(method, space, target, space, version);
    const sound = /^([A-Z]+) ([^ \t]+) HTTP\/1\.([01])$/;
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), (lines) => {
        for (const parts of [...lines, ...lines]) {
          const text = parts.join('');
          const [, method, target, minor] = sound.exec(text) ?? [];
          if (method === undefined) assert.equal(typeof read(text), 'string');
          else assert.deepEqual(read(text), [method, target, Number(minor)]);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
