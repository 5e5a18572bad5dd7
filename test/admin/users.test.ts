import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { StoreUnavailable } from '#accounts/store/errors.ts';
import type { UserAdministration } from '#accounts/users.ts';
import type { AdminRoutes } from '#admin/api.ts';
import { usersRoutes } from '#admin/users.ts';
import { EMAIL, registered, startAccounts } from '../accounts/instance.ts';

async function ask(routes: AdminRoutes, route: string, query: Record<string, string> = {}, body = '') {
  const handler = routes.get(route);
  assert.ok(handler !== undefined);
  const content = Readable.from([Buffer.from(body)]);
  return handler({ query: new URLSearchParams(query), headers: {}, body: content, name: '' });
}

describe('the users of the admin API', () => {
  it('[4] are shown without what they log in with', async (t) => {
    const accounts = await startAccounts(t);
    await registered(accounts);
    const { status, body } = await ask(usersRoutes(accounts.users), 'GET /api/users');
    assert.equal(status, 200);
    const { users } = JSON.parse(body) as { users: Record<string, unknown>[] };
    assert.equal(users.length, 1);
    assert.deepEqual(Object.keys(users[0] ?? {}), ['id', 'email', 'created_at_ms', 'disabled_at_ms']);
  });

  it('[40] are named by email or id, and by nothing else', async (t) => {
    const accounts = await startAccounts(t);
    await registered(accounts);
    const routes = usersRoutes(accounts.users);
    for (const user of ['', 'nobody@example.com', "' OR 1=1 --", '%']) {
      assert.equal((await ask(routes, 'DELETE /api/users', { user })).status, 404, user);
    }
    assert.equal((await ask(routes, 'POST /api/sessions/revoke', { session: "' OR 1=1" })).status, 404);
    assert.equal((await ask(routes, 'DELETE /api/users', { user: EMAIL })).status, 200);
    assert.equal((await ask(routes, 'DELETE /api/users', { user: EMAIL })).status, 404);
  });

  // History: a text that Postgres does not take was answered with 503.
  it('[40] are listed from an id on, and from nothing else', async (t) => {
    const accounts = await startAccounts(t);
    await registered(accounts);
    const routes = usersRoutes(accounts.users);
    for (const after of ['\0', "'--", 'zzz']) {
      assert.equal((await ask(routes, 'GET /api/users', { after })).status, 400);
    }
    const user = await accounts.users.find(EMAIL);
    const { body } = await ask(routes, 'GET /api/users', { after: user?.id ?? '' });
    assert.deepEqual(JSON.parse(body), { users: [] });
  });

  it('[30] are given another password, if it is one that they could choose', async (t) => {
    const accounts = await startAccounts(t);
    const { sid } = await registered(accounts);
    const routes = usersRoutes(accounts.users);
    const set = (user: string, body: string) => ask(routes, 'POST /api/users/password', { user }, body);
    for (const body of ['', 'x', '{}', '{"password":["AnotherPass456!"]}', '{"password":"x","email":"y"}']) {
      const { status, body: said } = await set(EMAIL, body);
      assert.equal(status, 400, body);
      assert.doesNotMatch(said, /AnotherPass/);
    }
    const weak = await set(EMAIL, '{"password":"weak"}');
    assert.deepEqual([weak.status, /at least 8 characters/.test(weak.body)], [400, true]);
    const body = '{"password":"AnotherPass456!"}';
    assert.equal((await set('nobody@example.com', body)).status, 404);
    assert.deepEqual(accounts.revoked, []);
    const { status, body: said } = await set(EMAIL, body);
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(JSON.parse(said).user), ['id', 'email', 'created_at_ms', 'disabled_at_ms']);
    assert.deepEqual(accounts.revoked, [sid]);
  });

  it('do not exist where no route has tokens', async () => {
    const { status, body } = await ask(usersRoutes(null), 'GET /api/users');
    assert.equal(status, 409);
    assert.match(body, /auth_type: jwt/);
  });

  it('are not to be had while the database is away', async () => {
    const away = { list: () => Promise.reject(new StoreUnavailable('gone')) };
    const { status, body } = await ask(usersRoutes(away as unknown as UserAdministration), 'GET /api/users');
    assert.equal(status, 503);
    assert.match(body, /not available/);
  });
});
