import type { Refusal } from '#core/refusals.ts';
import { type Counted, OVERLOADED } from './attempts.ts';
import { type AccountParts, type Caller, LOGIN_FAILED, note } from './parts.ts';
import type { Passwords } from './passwords.ts';
import { normaliseEmail, normalisePassword } from './policy.ts';
import type { Grant } from './sessions.ts';
import type { UserStore, UserWithPassword } from './store/contract.ts';

/** As they were sent. */
export type Credentials = { readonly email: string; readonly password: string };

/** Begins a session for who has the password. Rejects with StoreUnavailable. */
export function logIn(parts: AccountParts, given: Credentials, caller: Caller): Promise<Grant | Refusal> {
  // What cannot be an email or a password is treated as one that nobody has.
  const email = normaliseEmail(given.email) ?? '';
  const password = normalisePassword(given.password);
  return parts.attempts.make<Grant>({ action: 'login', email }, caller, (counted) =>
    begin(parts, email, password, caller, counted),
  );
}

async function begin(
  { store, passwords, sessions, log }: AccountParts,
  email: string,
  password: string | null,
  caller: Caller,
  counted: Counted,
): Promise<Grant | Refusal> {
  const user = email === '' ? null : await store.users.findByEmail(email);
  const isRight = await passwords.verify(user?.passwordHash ?? null, password ?? '');
  if (isRight === null) return OVERLOADED;
  const fail = () => {
    note(log, 'login failed', caller, user?.id ?? null);
    return LOGIN_FAILED;
  };
  if (user === null || !isRight || password === null || user.disabledAtMs !== null) return fail();
  await rehash(store.users, passwords, user, password);
  const grant = await sessions.begin(user);
  if (grant === null) return fail();
  await counted.forgive();
  note(log, 'logged in', caller, user.id);
  return grant;
}

/** Its hash was made with less than what is asked for today. Not done now, it is done next time. */
async function rehash(
  users: UserStore,
  passwords: Passwords,
  { id, passwordHash }: UserWithPassword,
  password: string,
): Promise<void> {
  if (!passwords.isOutdated(passwordHash)) return;
  const newHash = await passwords.hash(password);
  if (newHash !== null) await users.rehash(id, passwordHash, newHash);
}
