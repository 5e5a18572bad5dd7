import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EMAIL, PASSWORD, registered, startAccounts, USER } from './instance.ts';

describe('registering', () => {
  it('logs in at once, with all that a client needs', async (t) => {
    const { post } = await startAccounts(t);
    const { status, body } = await post('register', { email: ' User@Example.com', password: PASSWORD });
    assert.equal(status, 201);
    assert.deepEqual(Object.keys(body), [
      'user_id',
      'email',
      'access_token',
      'refresh_token',
      'token_type',
      'expires_in',
    ]);
    assert.equal(body['email'], EMAIL);
    assert.deepEqual([body['token_type'], body['expires_in']], ['Bearer', 900]);
    assert.match(String(body['user_id']), /^[0-9a-f-]{36}$/);
  });

  it('says what is wrong', async (t) => {
    const { post } = await startAccounts(t);
    const detail = async (body: unknown) => {
      const { status, refusal } = await post('register', body);
      assert.equal(status, 400);
      return refusal?.detail ?? '';
    };
    assert.match(await detail({ email: 'nobody', password: PASSWORD }), /email/);
    assert.match(await detail({ email: EMAIL, password: 'Short1' }), /at least 8/);
    assert.match(await detail({ email: EMAIL, password: 'lowercase1' }), /upper-case/);
    assert.match(await detail({ email: EMAIL, password: `Aa1${'x'.repeat(126)}` }), /128/);
  });

  it('[7] says that an email is taken, whatever its case', async (t) => {
    const accounts = await startAccounts(t);
    await registered(accounts);
    const { status, refusal } = await accounts.post('register', { ...USER, email: 'USER@EXAMPLE.COM' });
    assert.deepEqual([status, refusal?.cause], [409, 'email_taken']);
  });

  it('[7] answers alike for taken and free emails where that is wanted', async (t) => {
    const { post } = await startAccounts(t, { accounts: { isRegisterRevealing: false } });
    const [first, second] = [await post('register', USER), await post('register', USER)];
    assert.equal(first.status, 202);
    assert.deepEqual(first, second);
    assert.equal((await post('login', USER)).status, 200);
  });

  it('[9] one email many times at once succeeds once, and is taken otherwise', async (t) => {
    const limits = { attemptsMax: 100, attemptsPerIpMax: 100, delayMsMax: 1000, forgetMs: 60_000 };
    const { post } = await startAccounts(t, { accounts: { throttle: limits } });
    const statuses = (await Promise.all(Array.from({ length: 12 }, () => post('register', USER)))).map(
      ({ status }) => status,
    );
    assert.deepEqual(statuses.toSorted(), [201, ...Array.from({ length: 11 }, () => 409)]);
  });

  it('[7] is limited per address, like logging in', async (t) => {
    const throttle = { attemptsMax: 5, attemptsPerIpMax: 3, delayMsMax: 60_000, forgetMs: 60_000 };
    const { post } = await startAccounts(t, { accounts: { throttle } });
    const statuses = [];
    for (let nth = 0; nth < 4; nth++) {
      statuses.push((await post('register', { ...USER, email: `user${nth}@example.com` })).status);
    }
    assert.deepEqual(statuses, [201, 201, 201, 429]);
    assert.equal((await post('register', USER, { ip: '192.0.2.2' })).status, 201);
  });
});
