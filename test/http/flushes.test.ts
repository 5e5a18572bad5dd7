import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { flushes, WAITING_MAX } from '#http/flushes.ts';

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

  it('waits for so many others at most', () => {
    let flushed = 0;
    const each = { flush: () => void flushed++ };
    for (let waiting = 1; waiting < WAITING_MAX; waiting++) flushes.add(each);
    flushes.readEnded();
    assert.equal(flushed, 0);
    flushes.add(each);
    flushes.readEnded();
    assert.equal(flushed, WAITING_MAX);
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
    for (let waiting = 0; waiting < WAITING_MAX - 2; waiting++) flushes.add({ flush: () => {} });
    flushes.add({
      flush: () => {
        throw new Error('of a test');
      },
    });
    flushes.add({ flush: () => told.push('the other') });
    assert.throws(() => flushes.readEnded(), /of a test/);
    await nextTurn();
    assert.deepEqual(told, ['the other']);
  });
});
