import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EMAIL, FakeHasher, PASSWORD, registered, startAccounts, USER } from './instance.ts';

const WRONG = { email: EMAIL, password: 'WrongPass123!' };

describe('logging in', () => {
  it('works with the same password typed on another keyboard', async (t) => {
    const { post } = await startAccounts(t);
    await post('register', { email: EMAIL, password: 'Caf\u00e9 au lait 1' });
    assert.equal((await post('login', { email: EMAIL, password: 'Caf\u0065\u0301 au lait 1' })).status, 200);
    assert.equal((await post('login', { email: EMAIL, password: ' Caf\u00e9 au lait 1' })).status, 401);
  });

  it('[6] answers the same for an unknown email, a wrong password and a disabled account', async (t) => {
    const accounts = await startAccounts(t);
    await registered(accounts);
    await registered(accounts, { ...USER, email: 'off@example.com' });
    const user = await accounts.users.find('off@example.com');
    assert.ok(user !== null && (await accounts.users.disable(user)));

    const { post } = accounts;
    const answers = [
      await post('login', WRONG),
      await post('login', { ...USER, email: 'nobody@example.com' }),
      await post('login', { ...USER, email: 'off@example.com' }),
      await post('login', { ...USER, email: 'no email' }),
      await post('login', { ...USER, password: 'x'.repeat(1000) }),
    ];
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.deepEqual([answers[0]?.status, answers[0]?.refusal?.cause], [401, 'login_failed']);
  });

  it('[42] hashes once, whether there is such an account or not', async (t) => {
    const hasher = new FakeHasher();
    const accounts = await startAccounts(t, { hasher });
    await registered(accounts);
    for (const body of [WRONG, { ...WRONG, email: 'nobody@example.com' }, { ...WRONG, email: 'none' }]) {
      hasher.verified.length = 0;
      await accounts.post('login', body);
      assert.equal(hasher.verified.length, 1);
    }
  });

  it('[1] hashes anew what was hashed with less, and only then', async (t) => {
    const hasher = new FakeHasher();
    const accounts = await startAccounts(t, { hasher });
    await registered(accounts);
    hasher.version = 2;
    assert.equal((await accounts.post('login', WRONG)).status, 401);
    assert.equal(hasher.hashes, 1);
    assert.equal((await accounts.post('login', USER)).status, 200);
    assert.equal((await accounts.post('login', USER)).status, 200);
    assert.equal(hasher.hashes, 2);
    assert.match((await accounts.store.users.findByEmail(EMAIL))?.passwordHash ?? '', /^v2:/);
  });

  it('[40] takes whatever is sent for a text and nothing more', async (t) => {
    const accounts = await startAccounts(t);
    await registered(accounts);
    for (const email of ["' OR '1'='1' --@x", "user@example.com'; DROP TABLE users; --", '%@%', '$1@$2']) {
      assert.equal((await accounts.post('login', { email, password: PASSWORD })).status, 401, email);
    }
    assert.equal((await accounts.post('login', USER)).status, 200);
    assert.equal(await accounts.users.find("x' OR 1=1 --"), null);
    assert.equal(await accounts.users.revokeSession("x' OR 1=1 --"), false);
  });

  it('[46] is noted by ids, without emails, passwords or tokens', async (t) => {
    const accounts = await startAccounts(t);
    const { access, refresh } = await registered(accounts);
    await accounts.post('login', WRONG);
    const log = accounts.lines.join('');
    assert.match(log, /"msg":"registered"/);
    assert.match(log, /"msg":"login failed"/);
    for (const secret of [EMAIL, PASSWORD, WRONG.password, access, refresh]) assert.ok(!log.includes(secret));
  });
});
