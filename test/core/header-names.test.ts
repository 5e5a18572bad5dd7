import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMMON_SPELLINGS, isSecret, lowerCased, NameSet } from '#core/header-names.ts';

describe('the name of a header', () => {
  it('has one lower case, common or not', () => {
    for (const name of [...COMMON_SPELLINGS, 'X-Own', 'aCCept'])
      assert.equal(lowerCased(name), name.toLowerCase());
  });

  it('is in a set, or not, whatever its case, and every time the same', () => {
    const set = new NameSet((lowerName) => lowerName === 'accept' || lowerName === 'x-own');
    for (let times = 0; times < 3; times++) {
      for (const name of ['Accept', 'accept', 'ACCEPT', 'X-Own', 'x-OWN'])
        assert.equal(set.has(name), true, name);
      for (const name of ['Host', 'host', 'X-Other', 'Accept-']) assert.equal(set.has(name), false, name);
    }
  });

  it('is asked about once where it is common, and each time where it could be any', () => {
    const asked: string[] = [];
    const set = new NameSet((lowerName) => asked.push(lowerName) > 99);
    for (let times = 0; times < 2; times++) for (const name of ['Accept', 'X-Own']) set.has(name);
    assert.deepEqual(asked, ['accept', 'x-own', 'x-own']);
  });

  it('tells what is secret', () => {
    for (const name of ['Authorization', 'cookie', 'SET-COOKIE', 'X-Api-Key'])
      assert.ok(isSecret(name), name);
    assert.equal(isSecret('Host'), false);
  });
});
