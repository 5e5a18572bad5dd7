import type { User } from '#accounts/store/contract.ts';
import type { UserAdministration } from '#accounts/users.ts';
import { SignalboxError } from '#core/errors.ts';
import { type AdminAnswer, type AdminHandler, type AdminRoutes, json } from './api.ts';

/** Of one answer; the next page begins after the last of its ids. */
const PAGE_USERS_MAX = 500;

/** People's accounts, where there are any; never what they log in with. */
export function usersRoutes(users: UserAdministration | null): AdminRoutes {
  const guarded = (answer: (users: UserAdministration, query: URLSearchParams) => Promise<AdminAnswer>) => {
    const handler: AdminHandler = async ({ query }) => {
      if (users === null) return json(409, { error: 'there are no accounts: no route has `auth_type: jwt`' });
      try {
        return await answer(users, query);
      } catch (error) {
        if (!(error instanceof SignalboxError)) throw error;
        return json(503, { error: error.message });
      }
    };
    return handler;
  };
  return new Map([
    ['GET /api/users', guarded(list)],
    ['DELETE /api/users', guarded(change((users, user) => users.delete(user)))],
    ['POST /api/users/disable', guarded(change((users, user) => users.disable(user)))],
    ['POST /api/users/enable', guarded(change((users, user) => users.enable(user)))],
    ['POST /api/sessions/revoke', guarded(revoke)],
  ]);
}

async function list(users: UserAdministration, query: URLSearchParams): Promise<AdminAnswer> {
  const page = await users.list(query.get('after'), PAGE_USERS_MAX);
  return json(200, { users: page.map(describe) });
}

type Change = (users: UserAdministration, user: User) => Promise<boolean>;

/** Of the user that the query names. */
function change(apply: Change) {
  return async (users: UserAdministration, query: URLSearchParams): Promise<AdminAnswer> => {
    const user = await users.find(query.get('user') ?? '');
    if (user === null || !(await apply(users, user))) {
      return json(404, { error: 'there is no such user: name one by email or by id' });
    }
    return json(200, { user: describe((await users.find(user.id)) ?? user) });
  };
}

const revokeOf = change((users, user) => users.revokeSessions(user));

async function revoke(users: UserAdministration, query: URLSearchParams): Promise<AdminAnswer> {
  const session = query.get('session');
  if (session === null) return revokeOf(users, query);
  const isDone = await users.revokeSession(session);
  return isDone ? json(200, { session }) : json(404, { error: 'that is no id of a session' });
}

function describe({ id, email, createdAtMs, disabledAtMs }: User) {
  return { id, email, created_at_ms: createdAtMs, disabled_at_ms: disabledAtMs };
}
