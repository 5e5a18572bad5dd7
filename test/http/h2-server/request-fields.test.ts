import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readRequestFields } from '#http/h2-server/request-fields.ts';
import { get, post } from '#test/support/raw-h2-client.ts';

const LIMITS = { bytesMax: 1000, fieldsMax: 10 };

const read = (fields: readonly string[]) => readRequestFields(fields, LIMITS, 200);
const faultOf = (fields: readonly string[]) => read(fields).fault;

/** A request with one of its pseudo headers changed, or without it. */
function changed(name: string, value: string | null): string[] {
  const fields = get();
  const at = fields.indexOf(name);
  if (value === null) fields.splice(at, 2);
  else fields[at + 1] = value;
  return fields;
}

describe('the fields of a request', () => {
  it('become a head of HTTP/1.1', () => {
    const fields = post(
      '/a?b',
      'x-a',
      '1',
      'content-length',
      '5',
      'X-a'.toLowerCase(),
      '2',
      'te',
      'trailers',
    );
    assert.deepEqual(read(fields), {
      method: 'POST',
      target: '/a?b',
      headers: ['host', 'one.example', 'x-a', '1', 'content-length', '5', 'x-a', '2', 'te', 'trailers'],
      lengthBytes: 5,
      expectsContinue: false,
      fault: null,
    });
  });

  it('say once which host they are for', () => {
    assert.deepEqual(read(get('/', 'host', 'One.Example')).headers, ['host', 'One.Example']);
    assert.deepEqual(read([...changed(':authority', null), 'host', 'a']).headers, ['host', 'a']);
    assert.deepEqual(read(get('/', 'x', 'host')).headers, ['host', 'one.example', 'x', 'host']);
    for (const host of ['two.example', 'one.example:80', '']) {
      assert.equal(faultOf(get('/', 'host', host)), 'malformed_request', host);
    }
    assert.equal(faultOf(get('/', 'host', 'one.example', 'host', 'one.example')), 'malformed_request');
  });

  it('have their cookies as one', () => {
    const { headers } = read(get('/', 'cookie', 'a=1', 'x', 'y', 'cookie', 'b=2', 'cookie', 'c=3'));
    assert.deepEqual(headers, ['host', 'one.example', 'cookie', 'a=1; b=2; c=3', 'x', 'y']);
  });

  it('say whether the client waits to be told to go on', () => {
    assert.equal(read(post('/', 'expect', '100-Continue')).expectsContinue, true);
    assert.equal(read(post('/', 'expect', 'the best')).expectsContinue, false);
  });

  for (const [what, fields] of [
    ['a name in upper case', get('/', 'X-A', '1')],
    ['an empty name', get('/', '', '1')],
    ['a name that is no token', get('/', 'a b', '1')],
    ['a line break', get('/', 'a', 'b\r\nc: d')],
    ['a NUL', get('/', 'a', 'b\0')],
    ['space around a value', get('/', 'a', ' b')],
    ['a character of more than a byte', get('/', 'a', 'ā')],
    ['connection', get('/', 'connection', 'x-a')],
    ['keep-alive', get('/', 'keep-alive', 'timeout=5')],
    ['proxy-connection', get('/', 'proxy-connection', 'close')],
    ['transfer-encoding', post('/', 'transfer-encoding', 'chunked')],
    ['upgrade', get('/', 'upgrade', 'websocket')],
    ['http2-settings', get('/', 'http2-settings', 'AAMAAABkAAQ')],
    ['te with anything but trailers', get('/', 'te', 'trailers, gzip')],
    ['two lengths', post('/', 'content-length', '5', 'content-length', '5')],
    ['a length that is no number', post('/', 'content-length', '+5')],
    ['no method', changed(':method', null)],
    ['a method that is no token', changed(':method', 'GE T')],
    ['no path', changed(':path', null)],
    ['an empty path', changed(':path', '')],
    ['a path that does not begin with a slash', changed(':path', 'a')],
    ['a whole URL for a path', changed(':path', 'https://one.example/')],
    ['a path with a space', changed(':path', '/a b')],
    ['an asterisk for a path', changed(':path', '*')],
    ['no scheme', changed(':scheme', null)],
    ['another scheme', changed(':scheme', 'http')],
    ['a pseudo header twice', [...get(), ':path', '/']],
    ['a pseudo header behind others', ['x', 'y', ...get()]],
    ['a pseudo header that there is not', [':protocol', 'websocket', ...get()]],
    ['a pseudo header of answers', [':status', '200', ...get()]],
  ] as const) {
    it(`are malformed with ${what}`, () => assert.equal(faultOf(fields), 'malformed_request'));
  }

  it('may ask the server as a whole for its options', () => {
    const fields = changed(':path', '*');
    fields[fields.indexOf('GET')] = 'OPTIONS';
    assert.deepEqual([read(fields).target, faultOf(fields)], ['*', null]);
  });

  it('leave CONNECT to be refused as what it is', () => {
    const { method, target, fault } = read([':method', 'CONNECT', ':authority', 'one.example:443']);
    assert.deepEqual([method, target, fault], ['CONNECT', '', null]);
  });

  it('have a size', () => {
    assert.equal(faultOf(get('/', 'a', 'b'.repeat(800))), null);
    assert.equal(faultOf(get('/', 'a', 'b'.repeat(1000))), 'head_too_large');
    const many = (count: number) => Array.from({ length: count }, (_, at) => [`x-${at}`, '1']).flat();
    assert.equal(faultOf(get('/', ...many(10))), null);
    assert.equal(faultOf(get('/', ...many(11))), 'head_too_large');
    assert.equal(faultOf(get(`/${'a'.repeat(200)}`)), 'target_too_long');
  });

  it('never become a head that could be read as another one', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ':', ' ', '\r', '\n', '\0', '\t', 'é', 'ā', '/') });
    fc.assert(
      fc.property(text, text, text, (name, value, path) => {
        const { headers, target, fault } = read(get(path, name, value));
        if (fault !== null) return;
        assert.match(target, /^\/[!-~\x80-\xff]*$/);
        for (const part of headers) assert.match(part, /^[\t -~\x80-\xff]*$/);
      }),
      { seed: 5, numRuns: 2000 },
    );
  });
});
