import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreUnavailable } from '#accounts/store/errors.ts';
import { EMAIL, FakeHasher, PASSWORD, registered, startAccounts, USER } from './instance.ts';

const WRONG = { email: EMAIL, password: 'WrongPass123!' };

describe('failed logins', () => {
  it('[10] make the account wait longer and longer, and never for good', async (t) => {
    const accounts = await startAccounts(t);
    const { post, clock } = accounts;
    await registered(accounts);
    for (let nth = 0; nth < 5; nth++) assert.equal((await post('login', WRONG)).status, 401);
    const waits = [];
    for (let nth = 0; nth < 12; nth++) {
      const { status, refusal } = await post('login', WRONG);
      assert.equal(status, 429);
      const seconds = refusal?.cause === 'login_throttled' ? refusal.retryAfterSeconds : 0;
      waits.push(seconds);
      clock.advance(seconds * 1000);
      assert.equal((await post('login', WRONG)).status, 401);
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);

    assert.equal((await post('login', USER)).status, 429);
    clock.advance(300_000);
    assert.equal((await post('login', USER)).status, 200);
    assert.equal((await post('login', WRONG)).status, 401);
    assert.equal((await post('login', USER)).status, 200);
  });

  it('[10] are not told apart from a right password while the delay runs', async (t) => {
    const hasher = new FakeHasher();
    const accounts = await startAccounts(t, { hasher });
    await registered(accounts);
    for (let nth = 0; nth < 5; nth++) await accounts.post('login', WRONG);
    hasher.verified.length = 0;
    assert.deepEqual(await accounts.post('login', USER), await accounts.post('login', WRONG));
    assert.equal(hasher.verified.length, 0, '[11] nothing is hashed');
  });

  it('[10] of unknown accounts count the same', async (t) => {
    const { post } = await startAccounts(t);
    const nobody = { ...USER, email: 'nobody@example.com' };
    for (let nth = 0; nth < 5; nth++) assert.equal((await post('login', nobody)).status, 401);
    assert.equal((await post('login', nobody)).status, 429);
  });

  it('[10] count per address, over all accounts, and a whole /64 is one', async (t) => {
    const { post } = await startAccounts(t);
    const attempt = (nth: number, ip: string) =>
      post('login', { email: `user${nth}@example.com`, password: PASSWORD }, { ip });
    for (let nth = 0; nth < 50; nth++) {
      assert.equal((await attempt(nth, `2001:db8::${nth.toString(16)}`)).status, 401);
    }
    assert.equal((await attempt(50, '2001:db8::ffff')).status, 429);
    assert.equal((await attempt(51, '2001:db8:0:1::1')).status, 401);
  });

  // History: whoever went on guessing kept an account's owner out for as long as they liked.
  it('[10] by strangers do not make those wait who have logged in from their address before', async (t) => {
    const accounts = await startAccounts(t);
    const { post, clock } = accounts;
    await registered(accounts);
    const [home, elsewhere, stranger] = ['192.0.2.1', '192.0.2.8', '203.0.113.9'];
    const guess = () => post('login', WRONG, { ip: stranger });
    for (let nth = 0; nth < 5; nth++) assert.equal((await guess()).status, 401);
    assert.equal((await guess()).status, 429);
    assert.equal((await post('login', USER, { ip: elsewhere })).status, 429);
    assert.equal((await post('login', USER, { ip: home })).status, 200);
    assert.equal((await guess()).status, 429);
    // What fails at home counts there, and for nobody else.
    for (let nth = 0; nth < 5; nth++) await post('login', WRONG, { ip: home });
    assert.equal((await post('login', USER, { ip: home })).status, 429);
    clock.advance(1000);
    assert.equal((await post('login', USER, { ip: elsewhere })).status, 200);
  });

  it('[10] count as those of a stranger where nobody has logged in for a month', async (t) => {
    const accounts = await startAccounts(t);
    const { post, clock } = accounts;
    await registered(accounts);
    clock.advance(29 * 86_400_000);
    assert.equal((await post('login', USER)).status, 200);
    clock.advance(30 * 86_400_000);
    for (let nth = 0; nth < 5; nth++) await post('login', WRONG, { ip: '203.0.113.9' });
    assert.equal((await post('login', USER)).status, 429);
    assert.ok(accounts.lines.every((line) => !line.includes(EMAIL)));
  });

  it('[10] at once are no more than one after the other', async (t) => {
    const { post } = await startAccounts(t);
    const answers = await Promise.all(Array.from({ length: 30 }, () => post('login', WRONG)));
    assert.equal(answers.filter(({ status }) => status === 401).length, 5);
    assert.ok(answers.every(({ status }) => [401, 429, 503].includes(status)));
  });

  it('are forgotten in time, and do not count against the address once the password was right', async (t) => {
    const accounts = await startAccounts(t);
    const { post, clock } = accounts;
    await registered(accounts);
    for (let nth = 0; nth < 4; nth++) await post('login', WRONG);
    clock.advance(3_600_001);
    for (let nth = 0; nth < 4; nth++) assert.equal((await post('login', WRONG)).status, 401);
    for (let nth = 0; nth < 100; nth++) assert.equal((await post('login', USER)).status, 200);
  });

  it('[11] are known to every instance', async (t) => {
    const first = await startAccounts(t);
    const second = await startAccounts(t, { clock: first.clock, bus: first.bus, store: first.store });
    await registered(first);
    for (let nth = 0; nth < 5; nth++) await first.post('login', WRONG);
    assert.equal((await second.post('login', USER)).status, 429);
  });
});

describe('a database that is away', () => {
  // History: each waited for its own turn to find that out, while those who came later were turned away.
  it('is found out by the first of those that wait for one another', async (t) => {
    const { post, store } = await startAccounts(t);
    const record = t.mock.method(store.throttle, 'record', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      throw new StoreUnavailable('gone');
    });
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('login', WRONG)));
    assert.ok(answers.every(({ status }) => status === 503));
    assert.equal(record.mock.callCount(), 1);
    record.mock.restore();
    assert.equal((await post('login', WRONG)).status, 401);
  });
});

describe('a flood of logins', () => {
  it('[43] beyond the queue gets 503, and is not held against anyone', async (t) => {
    const hasher = new FakeHasher();
    const ends: (() => void)[] = [];
    hasher.verify = async () => {
      await new Promise<void>((resolve) => ends.push(resolve));
      return true;
    };
    const throttle = { attemptsMax: 1000, attemptsPerIpMax: 1000, delayMsMax: 1000, forgetMs: 60_000 };
    const { post } = await startAccounts(t, { hasher, accounts: { throttle } });
    const answers = Array.from({ length: 40 }, (_, nth) =>
      post('login', { email: `user${nth}@example.com`, password: PASSWORD }, { ip: `192.0.2.${nth}` }),
    );
    let open = answers.length;
    for (const answer of answers) void answer.then(() => open--);
    while (open > 0) {
      ends.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    assert.ok(statuses.every((status) => status === 401 || status === 503));
    assert.ok(statuses.includes(503) && statuses.includes(401));
  });
});
