import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSecret } from '#core/header-names.ts';

describe('the name of a header', () => {
  it('tells what is secret', () => {
    for (const name of ['authorization', 'cookie', 'set-cookie', 'x-api-key'])
      assert.ok(isSecret(name), name);
    assert.equal(isSecret('host'), false);
  });
});
