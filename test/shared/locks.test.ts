import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Locks } from '#shared/locks.ts';

function wordsOf(count: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
}

describe('locks', () => {
  it('name their holder, from worker 0 on, and are free again after release', () => {
    const words = wordsOf(3);
    const locks = new Locks(words, 0);
    locks.acquire(1);
    assert.deepEqual([...words], [0, 1, 0]);
    locks.release(1);
    assert.deepEqual([...words], [0, 0, 0]);
  });

  it('of a dead worker are freed, all of them and no others', () => {
    const words = wordsOf(4);
    const [dead, alive] = [new Locks(words, 3), new Locks(words, 2)];
    dead.acquire(0);
    alive.acquire(1);
    dead.acquire(3);
    alive.releaseAllOf(3);
    assert.deepEqual([...words], [0, 3, 0, 0]);
  });

  it('pass to who has waited too long, and stay there when the late holder lets go', () => {
    const words = wordsOf(1);
    const [late, next] = [new Locks(words, 0), new Locks(words, 1)];
    late.acquire(0);
    next.acquire(0);
    assert.deepEqual([...words], [2]);
    late.release(0);
    assert.deepEqual([...words], [2]);
  });
});
