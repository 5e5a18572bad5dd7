import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { storeInOrder } from '#shared/ordered-store.ts';

describe('a store in order', () => {
  it('is where an atomic one would be', () => {
    const words = new Int32Array(new SharedArrayBuffer(8));
    storeInOrder(words, 1, -7);
    assert.deepEqual([Atomics.load(words, 0), Atomics.load(words, 1)], [0, -7]);
  });
});
