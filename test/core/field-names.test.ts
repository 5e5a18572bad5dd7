import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  fieldName,
  LEARNED_MAX,
  learnName,
  lengthOfName,
  lowerCased,
  lowerNameOf,
  NameSet,
  numberOf,
  ownName,
  UNNUMBERED,
} from '#core/field-names.ts';
import { COMMON_SPELLINGS } from '#core/header-names.ts';
import { isFamiliar } from '#test/support/familiar-names.ts';

describe('the name of a field', () => {
  it('has one lower case, common or not', () => {
    for (const name of [...COMMON_SPELLINGS, 'X-Own', 'aCCept']) {
      assert.equal(lowerCased(name), name.toLowerCase());
      assert.equal(fieldName(name).lower, name.toLowerCase());
      assert.equal(fieldName(name).spelling, name);
    }
  });

  it('is one only where it is a token', () => {
    for (const name of [...COMMON_SPELLINGS, '0', "!#$%&'*+-.^_`|~"])
      assert.ok(fieldName(name).isToken, name);
    // U+212A is a letter that has an ASCII one for its lower case.
    for (const name of ['', 'a b', 'a:', 'a\r\nb', 'a\0', '\xe9', '\u0130', 'coo\u212aie'])
      assert.ok(!fieldName(name).isToken, JSON.stringify(name));
  });

  it('has the same number in any spelling where it is familiar, and no other one has that', () => {
    const numbers = new Map<number, string>();
    for (const spelling of COMMON_SPELLINGS) {
      const lower = spelling.toLowerCase();
      const number = numberOf(spelling);
      assert.equal(lowerNameOf(number), lower);
      assert.equal(lengthOfName(number), spelling.length);
      assert.equal(numbers.get(number) ?? lower, lower);
      numbers.set(number, lower);
      for (const other of [lower, spelling.toUpperCase(), `${spelling[0]}${lower.slice(1)}`])
        assert.deepEqual([numberOf(other), fieldName(other).number], [number, number], other);
    }
    assert.ok(!numbers.has(UNNUMBERED));
    for (const name of ['X-Own', '', 'Accept-'])
      assert.deepEqual([numberOf(name), fieldName(name).number], [UNNUMBERED, UNNUMBERED]);
  });

  it('is one object where it is familiar, for each spelling', () => {
    for (const name of COMMON_SPELLINGS) assert.equal(fieldName(name), fieldName(name));
    assert.notEqual(fieldName('Accept'), fieldName('accept'));
    assert.notEqual(fieldName('ACCEPT'), fieldName('ACCEPT'));
  });

  it('is learned in one spelling, and has its number in all', () => {
    assert.ok(!isFamiliar('X-Learned'));
    const learned = learnName('X-Learned');
    assert.ok(learned !== null && learned.number !== UNNUMBERED);
    assert.equal(learnName('X-Learned'), learned);
    assert.equal(fieldName('X-Learned'), learned);
    assert.ok(isFamiliar('X-Learned') && !isFamiliar('x-learned'));
    for (const spelling of ['x-learned', 'X-LEARNED']) assert.equal(numberOf(spelling), learned.number);
    assert.equal(learnName('x-learned')?.number, learned.number);
    assert.equal(learnName('Host'), fieldName('Host'));
  });
});

describe('a set of names', () => {
  it('is the same every time', () => {
    const set = new NameSet((lowerName) => lowerName === 'accept' || lowerName === 'x-own');
    for (let times = 0; times < 3; times++) {
      for (const name of ['accept', 'x-own']) assert.equal(set.has(name), true, name);
      for (const name of ['host', 'x-other', 'accept-']) assert.equal(set.has(name), false, name);
      assert.equal(set.hasNumber(numberOf('Accept')), true);
      assert.equal(set.hasNumber(numberOf('Host')), false);
    }
  });

  it('is asked about a name once where that has a number, and each time where it could be any', () => {
    const asked: string[] = [];
    const set = new NameSet((lowerName) => asked.push(lowerName) > 99);
    for (let times = 0; times < 2; times++) {
      set.hasNumber(numberOf('Accept'));
      set.has('x-own');
    }
    assert.deepEqual(asked, ['accept', 'x-own', 'x-own']);
  });
});

describe('names that are learned', () => {
  it('are so many at most, and none is long', () => {
    assert.equal(learnName('x'.repeat(65)), null);
    const names = Array.from({ length: 2 * LEARNED_MAX }, (_, at) => `X-${at.toString(36)}-Name`);
    const learned = names.filter((name) => learnName(name) !== null);
    assert.ok(learned.length > 0 && learned.length <= LEARNED_MAX);
    const last = names.at(-1) ?? '';
    assert.equal(learnName(last), null);
    assert.ok(!isFamiliar(last));
    assert.equal(ownName(last)?.spelling, last);
    assert.equal(ownName(null), null);
  });
});
