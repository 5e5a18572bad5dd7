import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EMAIL, registered, startAccounts, type TestAccounts, tokensOf, USER } from './instance.ts';

const DAY_MS = 86_400_000;

async function refresh({ post }: Pick<TestAccounts, 'post'>, token: string) {
  return post('refresh', { refresh_token: token });
}

describe('a refresh token', () => {
  it('[23] is nowhere in the database', async (t) => {
    const accounts = await startAccounts(t);
    const { refresh: token } = await registered(accounts);
    assert.equal(await accounts.store.sessions.findByToken(token, accounts.clock.wallMs()), null);
  });

  it('[24] works once, and is replaced', async (t) => {
    const accounts = await startAccounts(t, { jwt: { refreshGraceSeconds: 0 } });
    const first = await registered(accounts);
    const answer = await refresh(accounts, first.refresh);
    assert.equal(answer.status, 200);
    assert.deepEqual(Object.keys(answer.body), ['access_token', 'token_type', 'expires_in', 'refresh_token']);
    const second = tokensOf(answer);
    assert.equal(second.sid, first.sid);
    assert.notEqual(second.refresh, first.refresh);
    assert.equal((await refresh(accounts, first.refresh)).status, 401);
  });

  it('[24] [25] used again within the grace has the same successor, after it the session is revoked', async (t) => {
    const accounts = await startAccounts(t, { jwt: { refreshGraceSeconds: 60 } });
    const first = await registered(accounts);
    const second = tokensOf(await refresh(accounts, first.refresh));
    accounts.clock.advance(59_000);
    const again = await refresh(accounts, first.refresh);
    assert.equal(tokensOf(again).refresh, second.refresh);
    // The access token ends with the first answer's, but for what it may take to issue one.
    assert.equal(again.body['expires_in'], 900 - 59 + 10);
    assert.deepEqual(accounts.revoked, []);

    accounts.clock.advance(1_000);
    assert.equal((await refresh(accounts, first.refresh)).status, 401);
    assert.deepEqual(accounts.revoked, [first.sid]);
    assert.equal((await refresh(accounts, second.refresh)).status, 401);
    assert.match(accounts.lines.join(''), /refresh token came twice/);
  });

  it('[25] used again after its successor was used revokes the session at once', async (t) => {
    const accounts = await startAccounts(t);
    const first = await registered(accounts);
    const second = tokensOf(await refresh(accounts, first.refresh));
    const third = tokensOf(await refresh(accounts, second.refresh));
    assert.equal((await refresh(accounts, first.refresh)).status, 401);
    assert.deepEqual(accounts.revoked, [first.sid]);
    assert.equal((await refresh(accounts, third.refresh)).status, 401);
  });

  it('[26] used many times at once has one successor', async (t) => {
    const accounts = await startAccounts(t);
    const { refresh: token } = await registered(accounts);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(accounts, token)));
    assert.ok(answers.every(({ status }) => status === 200));
    assert.equal(new Set(answers.map((answer) => tokensOf(answer).refresh)).size, 1);
  });

  it('[26] used many times at once, without a grace, goes on with one chain at most', async (t) => {
    const accounts = await startAccounts(t, { jwt: { refreshGraceSeconds: 0 } });
    const { refresh: token, sid } = await registered(accounts);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(accounts, token)));
    assert.equal(answers.filter(({ status }) => status === 200).length <= 1, true);
    assert.deepEqual(accounts.revoked, [sid]);
  });

  it('[27] is void when it was not used for a week', async (t) => {
    const accounts = await startAccounts(t);
    const { refresh: token } = await registered(accounts);
    accounts.clock.advance(7 * DAY_MS);
    assert.equal((await refresh(accounts, token)).status, 401);
  });

  it('[27] is void after thirty days, however often it was used', async (t) => {
    const accounts = await startAccounts(t);
    let { refresh: token } = await registered(accounts);
    for (let day = 0; day < 29; day++) {
      accounts.clock.advance(DAY_MS);
      const answer = await refresh(accounts, token);
      assert.equal(answer.status, 200, `day ${day}`);
      token = tokensOf(answer).refresh;
    }
    accounts.clock.advance(DAY_MS);
    assert.equal((await refresh(accounts, token)).status, 401);
  });

  it('that is unknown or nonsense is refused alike', async (t) => {
    const accounts = await startAccounts(t);
    for (const token of ['', 'x', 'A'.repeat(43), 'A'.repeat(10_000)]) {
      const { status, refusal } = await refresh(accounts, token);
      assert.deepEqual([status, refusal?.cause], [401, 'session_ended']);
    }
  });
});

describe('logging out', () => {
  it('[28] by refresh token ends the session; doing it again says the same', async (t) => {
    const accounts = await startAccounts(t);
    const { refresh: token, sid } = await registered(accounts);
    for (let nth = 0; nth < 2; nth++) {
      const { status, body } = await accounts.post('logout', { refresh_token: token });
      assert.equal(status, 200);
      assert.deepEqual(body, { message: 'Logged out successfully' });
    }
    assert.deepEqual(accounts.revoked, [sid]);
    assert.equal((await refresh(accounts, token)).status, 401);
  });

  it('[28] by access token alone does so, too, with or without a body', async (t) => {
    const accounts = await startAccounts(t);
    for (const body of ['', {}]) {
      const { access, refresh: token } = tokensOf(
        await accounts.post(body === '' ? 'register' : 'login', USER),
      );
      for (let nth = 0; nth < 2; nth++) {
        assert.equal((await accounts.post('logout', body, { token: access })).status, 200);
      }
      assert.equal((await refresh(accounts, token)).status, 401);
    }
  });

  it('[28] needs one of them, and tells nothing about the first', async (t) => {
    const { post } = await startAccounts(t);
    assert.equal((await post('logout', {})).status, 401);
    assert.equal((await post('logout', {}, { token: 'x.y.z' })).status, 401);
    assert.equal((await post('logout', { refresh_token: 'A'.repeat(43) })).status, 200);
    assert.equal((await post('logout', { refresh_token: 1 })).status, 400);
  });

  it('[29] everywhere ends every session of the user in every instance, and nobody else’s', async (t) => {
    const first = await startAccounts(t);
    const second = await startAccounts(t, { clock: first.clock, bus: first.bus, store: first.store });
    const one = await registered(first);
    const two = tokensOf(await second.post('login', USER));
    const other = await registered(first, { ...USER, email: 'other@example.com' });

    assert.equal((await first.post('logout-all', {}, { token: one.access })).status, 200);
    await settled();
    for (const { revoked } of [first, second]) {
      assert.deepEqual(revoked.toSorted(), [one.sid, two.sid].toSorted());
    }
    assert.equal((await refresh(second, two.refresh)).status, 401);
    assert.equal((await refresh(second, other.refresh)).status, 200);
    assert.equal((await first.post('logout-all', {}, { token: one.access })).status, 401);
    assert.equal((await first.post('logout-all', {})).status, 401);
  });

  // History: an old refresh token, of whoever found it, could end all sessions of its user for ever.
  it('[29] everywhere needs a refresh token that is still good', async (t) => {
    const accounts = await startAccounts(t);
    const { refresh: first } = await registered(accounts);
    const { refresh: other } = tokensOf(await accounts.post('login', USER));
    const second = tokensOf(await refresh(accounts, first)).refresh;
    const logOutAll = async (token: string) =>
      (await accounts.post('logout-all', { refresh_token: token })).refusal?.cause;
    assert.equal(await logOutAll(first), 'session_ended');
    await accounts.post('logout', { refresh_token: second });
    assert.equal(await logOutAll(second), 'session_ended');
    assert.equal(await logOutAll('A'.repeat(43)), 'session_ended');
    assert.equal((await refresh(accounts, other)).status, 200);
  });

  it('[20] is refused as a whole with two Authorization headers', async (t) => {
    const accounts = await startAccounts(t);
    const { access, refresh: token } = await registered(accounts);
    for (const name of ['logout', 'logout-all', 'password']) {
      const answer = await accounts.post(name, { refresh_token: token }, { tokens: [access, access] });
      assert.deepEqual([answer.status, answer.refusal?.cause], [400, 'ambiguous_credentials']);
    }
    assert.equal((await refresh(accounts, token)).status, 200);
  });

  it('[46] is noted by ids, without tokens', async (t) => {
    const accounts = await startAccounts(t);
    const { access, refresh: token } = await registered(accounts);
    await accounts.post('logout', { refresh_token: token });
    const log = accounts.lines.join('');
    assert.match(log, /"user_id":"[0-9a-f-]{36}","ip":"192.0.2.1","request_id":"1+","msg":"logged out"/);
    for (const secret of [access, token]) assert.ok(!log.includes(secret));
  });
});

describe('what an operator does to an account', () => {
  it('[30] ends its sessions when it is disabled; enabled again, a new login works', async (t) => {
    const accounts = await startAccounts(t);
    const { refresh: token, sid } = await registered(accounts);
    const user = await accounts.users.find(` ${EMAIL.toUpperCase()}`);
    assert.ok(user !== null && (await accounts.users.disable(user)));
    assert.deepEqual(accounts.revoked, [sid]);
    assert.equal((await refresh(accounts, token)).status, 401);
    assert.equal((await accounts.post('login', USER)).status, 401);
    assert.equal(await accounts.users.enable(user), true);
    assert.equal((await refresh(accounts, token)).status, 401);
    assert.equal((await accounts.post('login', USER)).status, 200);
  });

  it('[30] ends its sessions when it is deleted, and the email is free again', async (t) => {
    const accounts = await startAccounts(t);
    const { refresh: token, sid } = await registered(accounts);
    const user = await accounts.users.find(EMAIL);
    assert.ok(user !== null && (await accounts.users.delete(user)));
    assert.equal(await accounts.users.delete(user), false);
    assert.deepEqual(accounts.revoked, [sid]);
    assert.equal((await refresh(accounts, token)).status, 401);
    await registered(accounts);
  });

  it('[30] ends its sessions when its password changes', async (t) => {
    const accounts = await startAccounts(t);
    const { refresh: token } = await registered(accounts);
    const user = await accounts.users.find(EMAIL);
    assert.ok(user !== null);
    const change = { id: user.id, oldHash: null, newHash: 'v1:other', nowMs: accounts.clock.wallMs() };
    await accounts.store.users.changePassword(change);
    assert.equal((await refresh(accounts, token)).status, 401);
  });

  it('ends all sessions, or one', async (t) => {
    const accounts = await startAccounts(t);
    const one = await registered(accounts);
    const two = tokensOf(await accounts.post('login', USER));
    assert.equal(await accounts.users.revokeSession(one.sid), true);
    assert.deepEqual(accounts.revoked, [one.sid]);
    const user = await accounts.users.find(EMAIL);
    assert.ok(user !== null && (await accounts.users.revokeSessions(user)));
    assert.deepEqual(accounts.revoked.toSorted(), [one.sid, two.sid].toSorted());
  });
});

describe('a revocation', () => {
  it('[31] is known to an instance that starts later', async (t) => {
    const first = await startAccounts(t);
    const { refresh: token, sid } = await registered(first);
    await first.post('logout', { refresh_token: token });
    // With a bus of its own: it has heard of nothing.
    const late = await startAccounts(t, { clock: first.clock, store: first.store });
    assert.deepEqual(
      late.revocations.live().sessions.map(({ sessionId }) => sessionId),
      [sid],
    );
  });

  it('[31] reaches an instance that the bus does not reach', async (t) => {
    const first = await startAccounts(t);
    const isolated = await startAccounts(t, { clock: first.clock, store: first.store });
    const { refresh: token, sid } = await registered(first);
    await first.post('logout', { refresh_token: token });
    await settled();
    assert.deepEqual(isolated.revoked, []);
    await first.clock.advanceAsync(5_000);
    await settled();
    assert.deepEqual(isolated.revoked, [sid]);
  });

  it('is forgotten when the last access token has expired', async (t) => {
    const accounts = await startAccounts(t);
    const { refresh: token } = await registered(accounts);
    await accounts.post('logout', { refresh_token: token });
    accounts.clock.advance(940_000);
    assert.deepEqual(accounts.revocations.live().sessions, []);
  });
});

/** Everything that is under way in this process has come to its end. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
