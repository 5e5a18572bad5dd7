import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { flushes, READS_MAX } from '#http/flushes.ts';

describe('what has something to write', () => {
  it('is flushed at the end of the turn, in its order, once for each time that it was added', async () => {
    const told: string[] = [];
    flushes.add({ flush: () => told.push('first') });
    flushes.add({ flush: () => told.push('second') });
    await Promise.resolve();
    flushes.readEnded();
    assert.deepEqual(told, []);
    await nextTurn();
    assert.deepEqual(told, ['first', 'second']);
    await nextTurn();
    assert.equal(told.length, 2);
  });

  it('waits for so many reads at most, whether they have something to write or not', () => {
    // Small answers waited for all the large bodies that were read in the same turn.
    let flushed = 0;
    for (const round of [1, 2]) {
      flushes.readEnded();
      flushes.add({ flush: () => void flushed++ });
      for (let reads = 1; reads < READS_MAX; reads++) flushes.readEnded();
      assert.equal(flushed, round - 1);
      flushes.readEnded();
      assert.equal(flushed, round);
    }
  });

  it('waits for the next turn if it is added while others are flushed', async () => {
    const told: string[] = [];
    const again = { flush: () => told.push('again') };
    flushes.add({
      flush: () => {
        told.push('once');
        flushes.add(again);
      },
    });
    await nextTurn();
    assert.deepEqual(told, ['once']);
    await nextTurn();
    assert.deepEqual(told, ['once', 'again']);
  });

  it('is flushed although another one throws', async () => {
    const told: string[] = [];
    flushes.add({ flush: () => {} });
    flushes.add({
      flush: () => {
        throw new Error('of a test');
      },
    });
    flushes.add({ flush: () => told.push('the other') });
    for (let reads = 1; reads < READS_MAX; reads++) flushes.readEnded();
    assert.throws(() => flushes.readEnded(), /of a test/);
    await nextTurn();
    assert.deepEqual(told, ['the other']);
  });
});
