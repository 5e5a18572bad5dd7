import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PENDING_BYTES_MAX } from '#bus/contract.ts';
import { SendWindow } from '#bus/send-window.ts';

const HALF = PENDING_BYTES_MAX / 2;

describe('a send window', () => {
  it('asks whether all was read when half of it is full, and then has room again', async () => {
    const asked: PromiseWithResolvers<void>[] = [];
    const window = new SendWindow(() => {
      const answer = Promise.withResolvers<void>();
      asked.push(answer);
      return answer.promise;
    });
    assert.ok(window.take(HALF));
    assert.equal(asked.length, 0);
    assert.ok(window.take(1));
    assert.equal(asked.length, 1);
    assert.ok(window.take(HALF - 1));
    assert.ok(!window.take(1));
    assert.equal(asked.length, 1);
    asked[0]?.resolve();
    await turn();
    assert.ok(window.take(HALF + 1));
    assert.ok(!window.take(1));
    assert.equal(asked.length, 2);
  });

  it('stays full when the connection is lost', async () => {
    const window = new SendWindow(() => Promise.reject(new Error('lost')));
    assert.ok(window.take(PENDING_BYTES_MAX));
    await turn();
    assert.ok(!window.take(1));
  });
});
