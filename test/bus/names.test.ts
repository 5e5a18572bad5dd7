import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isKey, matches, requirePrefix } from '#bus/names.ts';

const word = fc.stringMatching(/^[a-z0-9_=/-]{1,4}$/);
const subject = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join('.'));

describe('a pattern', () => {
  it('matches as NATS matches', () => {
    const cases: [pattern: string, subject: string, isMatch: boolean][] = [
      ['a.b', 'a.b', true],
      ['a.b', 'a.c', false],
      ['a.b', 'a', false],
      ['a.b', 'a.b.c', false],
      ['a.*', 'a.b', true],
      ['a.*', 'a', false],
      ['a.*', 'a.b.c', false],
      ['*.b', 'a.b', true],
      ['*', 'a', true],
      ['>', 'a', true],
      ['>', 'a.b.c', true],
      ['a.>', 'a.b.c', true],
      ['a.>', 'a', false],
      ['*.*.>', 'a.b.c', true],
      ['*.*.>', 'a.b', false],
    ];
    for (const [pattern, text, isMatch] of cases) {
      assert.equal(matches(pattern, text), isMatch, `${pattern} and ${text}`);
    }
  });

  it('matches itself, and any word that a * stands for', () => {
    fc.assert(
      fc.property(subject, fc.nat(4), (text, index) => {
        assert.ok(matches(text, text) && matches('>', text));
        const words = text.split('.');
        const pattern = words.map((each, at) => (at === index % words.length ? '*' : each)).join('.');
        assert.ok(matches(pattern, text));
        assert.ok(!matches(pattern, `${text}.more`));
      }),
    );
  });
});

describe('names', () => {
  it('of keys are words joined by dots', () => {
    fc.assert(fc.property(subject, (key) => assert.ok(isKey(key))));
    for (const key of ['', '.', 'a.', '.a', 'a..b', 'a b', '*', '>', '$', '~', 'ä'])
      assert.ok(!isKey(key), key);
  });

  it('of prefixes have nothing that would make two the same bucket', () => {
    requirePrefix('signalbox.my-cluster');
    for (const prefix of ['', 'a_b', 'a..b', 'a.*', 'a b']) {
      assert.throws(() => requirePrefix(prefix), { code: 'bus_bad_name' }, prefix);
    }
  });

  it('are shortened in the error about them', () => {
    assert.throws(
      () => requirePrefix('x'.repeat(1_000)),
      ({ message }: Error) => message.length < 500,
    );
  });
});
