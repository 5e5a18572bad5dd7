import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as promisesToSettle } from 'node:timers/promises';
import {
  PASSWORD_CHECKS_MAX,
  PASSWORD_CHECKS_WAITING_MAX,
  PASSWORDS_REMEMBERED_MAX,
  PasswordChecks,
} from '#http/auth/password-checks.ts';

/** A hash function as slow as the test wants; the hash of a password is `hash of ` and the password. */
function slowVerify() {
  const calls: { password: string; finish: () => void; fail: (error: Error) => void }[] = [];
  const verify = (hash: string, password: string) =>
    new Promise<boolean>((resolve, reject) => {
      calls.push({ password, finish: () => resolve(hash === `hash of ${password}`), fail: reject });
    });
  return { calls, verify };
}

const instantVerify = () => {
  const passwords: string[] = [];
  const verify = async (hash: string, password: string) => {
    passwords.push(password);
    return hash === `hash of ${password}`;
  };
  return { passwords, verify };
};

describe('PasswordChecks', () => {
  it('hashes a right password once and answers at once from then on', async () => {
    const { passwords, verify } = instantVerify();
    const checks = new PasswordChecks(verify);
    assert.equal(await checks.check('ann', 'hash of x', 'x'), true);
    assert.equal(checks.check('ann', 'hash of x', 'x'), true);
    assert.deepEqual(passwords, ['x']);
  });

  it('hashes the same wrong password once, however often it comes', async () => {
    const { passwords, verify } = instantVerify();
    const checks = new PasswordChecks(verify);
    assert.equal(await checks.check('ann', 'hash of x', 'y'), false);
    for (let time = 0; time < 100; time++) assert.equal(checks.check('ann', 'hash of x', 'y'), false);
    assert.deepEqual(passwords, ['y']);
  });

  it('asks anew for another user and after the configured hash has changed', async () => {
    const { passwords, verify } = instantVerify();
    const checks = new PasswordChecks(verify);
    assert.equal(await checks.check('ann', 'hash of x', 'x'), true);
    assert.equal(await checks.check('ann', 'hash of z', 'x'), false);
    assert.equal(await checks.check('bob', 'hash of y', 'x'), false);
    assert.equal(passwords.length, 3);
  });

  it('does not forget a right password because of many wrong ones', async () => {
    const { verify } = instantVerify();
    const checks = new PasswordChecks(verify);
    await checks.check('ann', 'hash of x', 'x');
    for (let guess = 0; guess <= PASSWORDS_REMEMBERED_MAX; guess++) {
      await checks.check('ann', 'hash of x', `guess ${guess}`);
    }
    assert.equal(checks.check('ann', 'hash of x', 'x'), true);
  });

  it('answers equal questions that come at once with one check', async () => {
    const { calls, verify } = slowVerify();
    const checks = new PasswordChecks(verify);
    const answers = Array.from({ length: 100 }, () => checks.check('ann', 'hash of x', 'x'));
    await promisesToSettle();
    calls[0]?.finish();
    assert.deepEqual(new Set(await Promise.all(answers)), new Set([true]));
    assert.equal(calls.length, 1);
  });

  it('runs a bounded number at a time, lets a bounded number wait, and is overloaded beyond', async () => {
    const { calls, verify } = slowVerify();
    const checks = new PasswordChecks(verify);
    const accepted = PASSWORD_CHECKS_MAX + PASSWORD_CHECKS_WAITING_MAX;
    const answers = Array.from({ length: accepted }, (_, n) => checks.check('ann', 'hash of x', `${n}`));
    assert.ok(answers.every((answer) => answer instanceof Promise));
    assert.equal(checks.check('ann', 'hash of x', 'one too many'), 'overloaded');

    for (let finished = 0; finished < accepted; finished++) {
      await promisesToSettle();
      assert.ok(calls.length - finished <= PASSWORD_CHECKS_MAX);
      calls[finished]?.finish();
      await answers[finished];
    }
    assert.deepEqual(
      calls.map(({ password }) => password),
      answers.map((_, n) => `${n}`),
    );
    assert.ok(checks.check('ann', 'hash of x', 'one too many') instanceof Promise);
  });

  it('goes on after a hash that cannot be read', async () => {
    const { calls, verify } = slowVerify();
    const checks = new PasswordChecks(verify);
    const broken = checks.check('ann', 'not a hash', 'x');
    const next = checks.check('bob', 'hash of y', 'y');
    await promisesToSettle();
    calls[0]?.fail(new Error('not a hash'));
    await assert.rejects(async () => broken, /not a hash/);
    await promisesToSettle();
    calls[1]?.finish();
    assert.equal(await next, true);
  });
});
