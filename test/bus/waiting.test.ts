import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { retryMs, unlessAborted } from '#bus/waiting.ts';

describe('the wait before a retry', () => {
  it('doubles up to a bound, and differs between instances', () => {
    const [least, most] = [{ float: () => 0 }, { float: () => 1 - Number.EPSILON }];
    assert.deepEqual(
      [0, 1, 5, 6, 1_000].map((failures) => [retryMs(least, failures), Math.round(retryMs(most, failures))]),
      [
        [50, 100],
        [100, 200],
        [250, 500],
        [250, 500],
        [250, 500],
      ],
    );
  });
});

describe('a wait that can be aborted', () => {
  it('settles as what it waits for', async () => {
    const { signal } = new AbortController();
    assert.equal(await unlessAborted(Promise.resolve(1), signal), 1);
    await assert.rejects(unlessAborted(Promise.reject(new Error('no')), signal), /no/);
  });

  it('ends with the signal, before or during the wait', async () => {
    const life = new AbortController();
    const waiting = unlessAborted(new Promise(() => {}), life.signal);
    const reason = new Error('enough');
    life.abort(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(unlessAborted(Promise.reject(new Error('late')), life.signal), reason);
  });
});
