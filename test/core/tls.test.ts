import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { identityFor } from '#core/tls.ts';

const identities = [
  { names: ['one.example', '*.one.example'] },
  { names: ['www.one.example', 'two.example'] },
  { names: ['*.two.example'] },
];

const chosen = (name: string) => identityFor(identities, name);

describe('the certificate for a name', () => {
  it('is the one that has it, whatever its case', () => {
    assert.equal(chosen('one.example'), 0);
    assert.equal(chosen('Two.Example'), 1);
  });

  it('may have a wildcard for its first label, and for one label only', () => {
    assert.equal(chosen('api.one.example'), 0);
    assert.equal(chosen('api.two.example'), 2);
    assert.equal(chosen('v1.api.two.example'), -1);
  });

  it('has the whole name rather than a wildcard', () => {
    assert.equal(chosen('www.one.example'), 1);
  });

  it('is none for a name that nobody has', () => {
    for (const name of ['three.example', 'example', '.two.example', '']) assert.equal(chosen(name), -1);
  });
});
