import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreUnavailable } from '#accounts/store/errors.ts';
import { registered, startAccounts, USER } from './instance.ts';

const NAMES = ['register', 'login', 'refresh'];

describe('what is sent to /auth', () => {
  it('[36] has to have the right types, and may have fields that nobody knows', async (t) => {
    const { post } = await startAccounts(t);
    const wrong = [{}, { email: 1, password: 'x' }, { email: ['a@b'], password: 'x' }, { email: 'a@b' }];
    for (const body of wrong) {
      for (const name of ['register', 'login']) assert.equal((await post(name, body)).status, 400);
    }
    for (const body of [{}, { refresh_token: null }, { refresh_token: {} }]) {
      assert.equal((await post('refresh', body)).status, 400);
    }
    assert.equal((await post('register', { ...USER, is_admin: true })).status, 201);
  });

  it('[37] may be any text without more happening than 400', async (t) => {
    const { post } = await startAccounts(t);
    const texts = [
      '',
      'x',
      'null',
      '[]',
      '"text"',
      '{"email":"a@b","email":"c@d","password":"x"}',
      '\ufeff{"email":"a@b","password":"x"}',
      '['.repeat(16_000),
      `{"email":${'['.repeat(8000)}${']'.repeat(8000)},"password":"x"}`,
      '{"__proto__":{"email":"a@b","password":"x"}}',
      '{"email":"\\ud83d@example.com","password":1}',
    ];
    for (const text of texts) {
      for (const name of NAMES) assert.equal((await post(name, text)).status, 400, text.slice(0, 60));
    }
  });

  it('[37] may have half a character in it, which is in no email and no password', async (t) => {
    const { post } = await startAccounts(t);
    const login = await post('login', '{"email":"\\ud83d@example.com","password":"Secret12\\ud83d"}');
    assert.equal(login.status, 401);
    const register = await post('register', '{"email":"a@example.com","password":"Secret12\\ud83d"}');
    assert.equal(register.status, 400);
    const prototype = await post('login', '{"__proto__":{},"email":"a@example.com","password":"x"}');
    assert.equal(prototype.status, 401);
  });

  it('[41] is answered 503 while the database is away, which is logged once', async (t) => {
    const accounts = await startAccounts(t);
    const { refresh } = await registered(accounts);
    let isAway = true;
    const away = <Result>(instead: () => Promise<Result>) => {
      return () => (isAway ? Promise.reject(new StoreUnavailable('gone')) : instead());
    };
    const { sessions } = accounts.store;
    const rotate = sessions.rotate.bind(sessions);
    t.mock.method(sessions, 'rotate', (request: Parameters<typeof rotate>[0]) =>
      away(() => rotate(request))(),
    );

    for (let nth = 0; nth < 3; nth++) {
      const { status, refusal } = await accounts.post('refresh', { refresh_token: refresh });
      assert.deepEqual([status, refusal?.cause], [503, 'accounts_unavailable']);
      assert.equal(refusal?.detail, undefined);
    }
    isAway = false;
    assert.equal((await accounts.post('refresh', { refresh_token: refresh })).status, 200);
    const lines = accounts.lines.filter((line) => line.includes('available'));
    assert.equal(lines.length, 2);
    assert.match(lines[0] ?? '', /not available; proxying goes on/);
    assert.match(lines[1] ?? '', /available again/);
  });
});
