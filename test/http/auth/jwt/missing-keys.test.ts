import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as promisesToSettle } from 'node:timers/promises';
import { ASK_AGAIN_MS, KEY_WAIT_MS_MAX, KEY_WAITERS_MAX, MissingKeys } from '#http/auth/jwt/missing-keys.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

function waiting() {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const missing = new MissingKeys((issuer) => asked.push(issuer), clock);
  let settled = 0;
  const wait = (issuer: string) => {
    const answered = missing.wait(issuer);
    void answered?.then(() => settled++);
    return answered !== null;
  };
  const settledNow = async () => {
    await promisesToSettle();
    return settled;
  };
  return { clock, asked, missing, wait, settledNow };
}

describe('a key that is missing', () => {
  it('[35] is asked for once, whoever waits for it', async () => {
    const { asked, missing, wait, settledNow } = waiting();
    assert.ok(wait('a') && wait('a') && wait('b'));
    assert.deepEqual(asked, ['a', 'b']);
    assert.equal(await settledNow(), 0);
    missing.answered();
    assert.equal(await settledNow(), 3);
  });

  it('is not waited for again a moment later', () => {
    const { clock, asked, missing, wait } = waiting();
    assert.ok(wait('a'));
    missing.answered();
    clock.advance(ASK_AGAIN_MS - 1);
    assert.ok(!wait('a'));
    clock.advance(1);
    assert.ok(wait('a'));
    assert.deepEqual(asked, ['a', 'a']);
  });

  it('is waited for no longer than a client may be kept', async () => {
    const { clock, wait, settledNow } = waiting();
    wait('a');
    clock.advance(KEY_WAIT_MS_MAX - 1);
    assert.equal(await settledNow(), 0);
    clock.advance(1);
    assert.equal(await settledNow(), 1);
  });

  it('is waited for by a bounded number of requests', async () => {
    const { clock, missing, wait, settledNow } = waiting();
    for (let request = 0; request < KEY_WAITERS_MAX; request++) assert.ok(wait('a'));
    assert.ok(!wait('a'));
    missing.answered();
    assert.equal(await settledNow(), KEY_WAITERS_MAX);
    assert.equal(clock.timers, 0);
  });
});
