import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseJsonObject } from '#core/jwt/json-object.ts';

const parse = (text: string) => parseJsonObject(Buffer.from(text));

describe('the JSON object in a token', () => {
  it('[17] is an object, and nothing else', () => {
    assert.deepEqual(parse('{"a":[1,{"b":2}]}'), { a: [1, { b: 2 }] });
    for (const text of [
      '[]',
      '"a"',
      '1',
      'null',
      'true',
      '',
      '{',
      '{"a":1}x',
      '{a:1}',
      "{'a':1}",
      '{"a":01}',
    ]) {
      assert.equal(parse(text), null, text);
    }
  });

  it('[17] has no name twice, however it is spelt', () => {
    for (const text of [
      '{"sub":"a","sub":"b"}',
      '{"sub":"a","sub":"a"}',
      '{"sub":"a","s\\u0075b":"b"}',
      '{"exp":1,"a":{"exp":2},"exp":3}',
      '{"__proto__":1,"__proto__":2}',
      '{"":1,"":2}',
    ]) {
      assert.equal(parse(text), null, text);
    }
  });

  it('takes no text for a name', () => {
    for (const text of [
      '{"a":"b\\":1,\\"a\\":2"}',
      '{"a":{"x":1,"y":[{"z":2}]},"b":":"}',
      '{"a\\\\":1,"b":2}',
    ]) {
      assert.deepEqual(parse(text), JSON.parse(text));
    }
  });

  it('[17] finds a repeated name among any others, and sees none where there is none', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1 }), (object) => {
        const text = JSON.stringify(object);
        assert.deepEqual(parse(text), JSON.parse(text));
        const [name] = Object.keys(object);
        assert.equal(parse(`${text.slice(0, -1)},${JSON.stringify(name)}:0}`), null);
      }),
    );
  });

  it('[17] is UTF-8 without a byte order mark', () => {
    assert.equal(parseJsonObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), null);
    assert.equal(parse('\ufeff{"a":1}'), null);
  });

  it('does not become a prototype', () => {
    const object = parse('{"__proto__":{"sub":"root"}}');
    assert.equal(object?.['sub'], undefined);
  });

  it('[18] may be nested as deep as a token is long', () => {
    const depth = 4000;
    assert.notEqual(parse(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`), null);
  });
});
