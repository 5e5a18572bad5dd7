import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { StoreUnavailable } from '#accounts/store/errors.ts';
import type { UserAdministration } from '#accounts/users.ts';
import type { AdminRoutes } from '#admin/api.ts';
import { usersRoutes } from '#admin/users.ts';
import { EMAIL, registered, startAccounts } from '../accounts/instance.ts';

async function ask(routes: AdminRoutes, route: string, query: Record<string, string> = {}) {
  const handler = routes.get(route);
  assert.ok(handler !== undefined);
  return handler({ query: new URLSearchParams(query), body: Readable.from([]) });
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
