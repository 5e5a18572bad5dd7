import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '#core/fields.ts';
import { lastChunk, requestHead, responseHead } from '#http/h1/write-head.ts';

describe('a head that is written', () => {
  it('is one text', () => {
    assert.equal(
      requestHead('GET', '/a?b', Fields.of(['Host', 'x', 'A', ''])),
      'GET /a?b HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n',
    );
    assert.equal(responseHead(200, '', Fields.of(['A', '\xe9'])), 'HTTP/1.1 200 \r\nA: \xe9\r\n\r\n');
    assert.equal(lastChunk([]), '0\r\n\r\n');
  });

  it('is none where a part would break out of its place', () => {
    const values = ['a\r\nb', 'a\nb', 'a\rb', '\0', '\x7f', '\u010d\u010a', '€'];
    for (const value of values) {
      assert.equal(requestHead('GET', '/', Fields.of(['A', value])), null);
      assert.equal(responseHead(200, value, new Fields()), null);
      assert.equal(requestHead('GET', `/${value}`, new Fields()), null);
      assert.equal(lastChunk(['A', value]), null);
    }
    for (const name of ['', 'a b', 'a:', 'é', 'a\r\nb', '\u0130']) {
      assert.equal(requestHead('GET', '/', Fields.of([name, 'x'])), null);
      assert.equal(requestHead(name, '/', new Fields()), null);
    }
    assert.equal(requestHead('GET', '', new Fields()), null);
    assert.equal(requestHead('GET', '/a b', new Fields()), null);
  });
});
