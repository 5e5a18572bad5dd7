import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EMAIL, FakeHasher, PASSWORD, registered, startAccounts, tokensOf, USER } from './instance.ts';

const CHOSEN = 'AnotherPass456!';
const CHANGE = { current_password: PASSWORD, new_password: CHOSEN };

describe('changing a password', () => {
  it('[30] ends every session, and gives the tokens of a new one', async (t) => {
    const first = await startAccounts(t);
    const second = await startAccounts(t, { clock: first.clock, bus: first.bus, store: first.store });
    const one = await registered(first);
    const two = tokensOf(await second.post('login', USER));

    const answer = await first.post('password', CHANGE, { token: one.access });
    assert.equal(answer.status, 200);
    assert.equal(answer.body['email'], EMAIL);
    const next = tokensOf(answer);
    await new Promise((resolve) => setImmediate(resolve));
    for (const { revoked } of [first, second]) {
      assert.deepEqual(revoked.toSorted(), [one.sid, two.sid].toSorted());
    }
    for (const { refresh } of [one, two]) {
      assert.equal((await second.post('refresh', { refresh_token: refresh })).status, 401);
    }
    assert.equal((await second.post('refresh', { refresh_token: next.refresh })).status, 200);
    assert.equal((await second.post('login', USER)).status, 401);
    assert.equal((await second.post('login', { ...USER, password: CHOSEN })).status, 200);
  });

  it('needs an access token of a live session', async (t) => {
    const accounts = await startAccounts(t);
    const { access } = await registered(accounts);
    const causeOf = async (token: string) =>
      (await accounts.post('password', CHANGE, { token })).refusal?.cause;
    assert.equal(await causeOf(''), 'credentials_missing');
    assert.equal(await causeOf('x.y.z'), 'credentials_invalid');
    await accounts.post('logout', '', { token: access });
    assert.equal(await causeOf(access), 'credentials_invalid');

    const { access: orphan } = tokensOf(await accounts.post('login', USER));
    const user = await accounts.users.find(EMAIL);
    assert.ok(user !== null);
    // Another instance has done it, and this one has not heard of it.
    await accounts.store.users.disable(user.id, accounts.clock.wallMs());
    assert.equal(await causeOf(orphan), 'credentials_invalid');
    await accounts.store.users.delete(user.id, accounts.clock.wallMs());
    assert.equal(await causeOf(orphan), 'credentials_invalid');
  });

  it('[3] is refused for a password that nobody could register with', async (t) => {
    const hasher = new FakeHasher();
    const accounts = await startAccounts(t, { hasher });
    const { access: token } = await registered(accounts);
    for (const chosen of ['Short1', 'lowercase1', `Aa1${'x'.repeat(126)}`, 'Secret12\ud83d', '']) {
      const { status, refusal } = await accounts.post(
        'password',
        { ...CHANGE, new_password: chosen },
        { token },
      );
      assert.equal(status, 400);
      assert.match(refusal?.detail ?? '', /^The password/);
    }
    for (const body of [{}, { current_password: PASSWORD }, { ...CHANGE, new_password: 1 }]) {
      const { status, refusal } = await accounts.post('password', body, { token });
      assert.deepEqual([status, refusal?.detail?.includes('`new_password`')], [400, true]);
    }
    assert.equal(hasher.verified.length, 0);
  });

  it('[10] by a wrong one is refused with 403, counts as a failed login, and changes nothing', async (t) => {
    const accounts = await startAccounts(t);
    const { access: token } = await registered(accounts);
    const guess = { ...CHANGE, current_password: 'WrongPass123!' };
    for (let nth = 0; nth < 5; nth++) {
      const { status, refusal } = await accounts.post('password', guess, { token });
      assert.deepEqual([status, refusal?.cause], [403, 'password_wrong']);
    }
    assert.equal((await accounts.post('password', CHANGE, { token })).status, 429);
    assert.equal((await accounts.post('login', USER)).status, 429);
    assert.deepEqual(accounts.revoked, []);
    accounts.clock.advance(1_000);
    assert.equal((await accounts.post('password', CHANGE, { token })).status, 200);
    assert.equal((await accounts.post('login', { ...USER, password: CHOSEN })).status, 200);
  });

  it('many times at once succeeds once', async (t) => {
    const accounts = await startAccounts(t);
    const { access: token } = await registered(accounts);
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, nth) =>
        accounts.post('password', { ...CHANGE, new_password: `${CHOSEN}${nth}` }, { token }),
      ),
    );
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 403, 403, 403, 403]);
  });

  it('[46] is noted by ids, without passwords or tokens', async (t) => {
    const accounts = await startAccounts(t);
    const { access: token } = await registered(accounts);
    await accounts.post('password', { ...CHANGE, current_password: 'WrongPass123!' }, { token });
    await accounts.post('password', CHANGE, { token });
    const log = accounts.lines.join('');
    assert.match(log, /"msg":"password not changed: the current one was wrong"/);
    assert.match(log, /"msg":"password changed"/);
    for (const secret of [EMAIL, PASSWORD, CHOSEN, 'WrongPass123!', token]) assert.ok(!log.includes(secret));
  });
});

describe('an operator who sets a password', () => {
  it('[30] ends every session of the user', async (t) => {
    const accounts = await startAccounts(t);
    const { refresh, sid } = await registered(accounts);
    const user = await accounts.users.find(EMAIL);
    assert.ok(user !== null);
    assert.deepEqual(await accounts.users.setPassword(user, CHOSEN), { outcome: 'set' });
    assert.deepEqual(accounts.revoked, [sid]);
    assert.equal((await accounts.post('refresh', { refresh_token: refresh })).status, 401);
    assert.equal((await accounts.post('login', USER)).status, 401);
    assert.equal((await accounts.post('login', { ...USER, password: CHOSEN })).status, 200);
    await accounts.users.delete(user);
    assert.deepEqual(await accounts.users.setPassword(user, CHOSEN), { outcome: 'no_user' });
  });

  it('is told what is wrong with it', async (t) => {
    const accounts = await startAccounts(t);
    await registered(accounts);
    const user = await accounts.users.find(EMAIL);
    assert.ok(user !== null);
    const result = await accounts.users.setPassword(user, 'short');
    assert.ok(result.outcome === 'refused');
    assert.match(result.problem, /at least 8/);
  });
});
