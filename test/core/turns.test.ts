import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Turns } from '#core/turns.ts';

describe('turns', () => {
  it('are taken in order, a bounded number at once, and not at all when too many wait', async () => {
    const turns = new Turns(2, 2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const taken = [1, 2, 3, 4, 5].map((number) =>
      turns.take(async () => {
        begun.push(number);
        await new Promise<void>((resolve) => ends.push(resolve));
        return number;
      }),
    );
    assert.deepEqual(begun, [1, 2]);
    assert.equal(taken[4], null);
    ends.shift()?.();
    assert.equal(await taken[0], 1);
    while (begun.length < 3) await Promise.resolve();
    assert.deepEqual(begun, [1, 2, 3]);
    assert.notEqual(
      turns.take(async () => 6),
      null,
    );
  });

  it('pass on when the work fails', async () => {
    const turns = new Turns(1, 1);
    const failed = turns.take(() => Promise.reject(new Error('no')));
    const next = turns.take(async () => 'done');
    await assert.rejects(failed ?? Promise.resolve(), /no/);
    assert.equal(await next, 'done');
  });
});
