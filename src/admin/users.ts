import { z } from 'zod';
import type { User } from '#accounts/store/contract.ts';
import type { UserAdministration } from '#accounts/users.ts';
import { secret } from '#config/schema/section.ts';
import { SignalboxError } from '#core/errors.ts';
import { type AdminAnswer, type AdminHandler, type AdminRequest, type AdminRoutes, json } from './api.ts';
import { readBody } from './body.ts';
import { problem } from './problem.ts';

/** Of one answer; the next page begins after the last of its ids. */
const PAGE_USERS_MAX = 500;

/** People's accounts, where there are any; never what they log in with. */
export function usersRoutes(users: UserAdministration | null): AdminRoutes {
  const guarded = (answer: Answerer) => {
    const handler: AdminHandler = async (request) => {
      if (users === null) return problem(409, 'there are no accounts: no route has `auth_type: jwt`');
      try {
        return await answer(users, request);
      } catch (error) {
        if (!(error instanceof SignalboxError)) throw error;
        return problem(503, error.message);
      }
    };
    return handler;
  };
  return new Map([
    ['GET /api/users', guarded(list)],
    ['DELETE /api/users', guarded(change((users, user) => users.delete(user)))],
    ['POST /api/users/disable', guarded(change((users, user) => users.disable(user)))],
    ['POST /api/users/enable', guarded(change((users, user) => users.enable(user)))],
    ['POST /api/users/password', guarded(setPassword)],
    ['POST /api/sessions/revoke', guarded(revoke)],
  ]);
}

type Answerer = (users: UserAdministration, request: AdminRequest) => Promise<AdminAnswer>;

async function list(users: UserAdministration, { query }: AdminRequest): Promise<AdminAnswer> {
  const page = await users.list(query.get('after') || null, PAGE_USERS_MAX);
  if (page === null) return problem(400, 'after is not the id of a user');
  return json(200, { users: page.map(describe) });
}

type Change = (users: UserAdministration, user: User) => Promise<boolean>;

/** Of the user that the query names. */
function change(apply: Change): Answerer {
  return async (users, { query }) => {
    const user = await users.find(query.get('user') ?? '');
    if (user === null || !(await apply(users, user))) return NO_USER;
    return json(200, { user: describe((await users.find(user.id)) ?? user) });
  };
}

const NO_USER = problem(404, 'there is no such user: name one by email or by id');

const Password = z.strictObject({ password: secret(z.string(), 'a text') });

async function setPassword(users: UserAdministration, { query, body }: AdminRequest): Promise<AdminAnswer> {
  const read = await readBody(body, Password);
  if ('refusal' in read) return read.refusal;
  const user = await users.find(query.get('user') ?? '');
  if (user === null) return NO_USER;
  const result = await users.setPassword(user, read.value.password);
  switch (result.outcome) {
    case 'set':
      return json(200, { user: describe(user) });
    case 'no_user':
      return NO_USER;
    case 'refused':
      return problem(400, result.problem);
    case 'overloaded':
      return problem(503, 'too many passwords are being hashed: try again in a second');
  }
}

const revokeOf = change((users, user) => users.revokeSessions(user));

async function revoke(users: UserAdministration, request: AdminRequest): Promise<AdminAnswer> {
  const session = request.query.get('session');
  if (session === null) return revokeOf(users, request);
  const isDone = await users.revokeSession(session);
  return isDone ? json(200, { session }) : problem(404, 'that is no id of a session');
}

function describe({ id, email, createdAtMs, disabledAtMs }: User) {
  return { id, email, created_at_ms: createdAtMs, disabled_at_ms: disabledAtMs };
}
