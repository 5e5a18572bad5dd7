import type { Refusal } from '#core/refusals.ts';
import { type Counted, OVERLOADED } from './attempts.ts';
import type { Credentials } from './login.ts';
import { type AccountParts, type Caller, invalid, LOGIN_FAILED, note } from './parts.ts';
import { normaliseEmail } from './policy.ts';
import type { Grant } from './sessions.ts';
import { newUuid } from './uuid.ts';

/** A grant; `accepted` where registering does not reveal what became of it; or why there is none. */
export type Registration = Grant | 'accepted' | Refusal;

/** Makes an account, and begins its first session. Rejects with StoreUnavailable. */
export async function register(
  parts: AccountParts,
  given: Credentials,
  caller: Caller,
): Promise<Registration> {
  const email = normaliseEmail(given.email);
  if (email === null) {
    return invalid('The email is not one: at most 254 characters, all of them visible, with one @.');
  }
  const choice = parts.policy.choose(given.password);
  if ('problem' in choice) return invalid(choice.problem);
  return parts.attempts.make<Registration>({ action: 'register', email }, caller, (counted) =>
    create(parts, email, choice.password, caller, counted),
  );
}

async function create(
  { store, passwords, sessions, isRegisterRevealing, clock, log }: AccountParts,
  email: string,
  password: string,
  caller: Caller,
  counted: Counted,
): Promise<Registration> {
  // Hashed first, be the email taken or not: so both take the same time.
  const passwordHash = await passwords.hash(password);
  if (passwordHash === null) return OVERLOADED;
  const nowMs = clock.wallMs();
  const user = { id: newUuid(nowMs), email, passwordHash, createdAtMs: nowMs };
  const isNew = (await store.users.create(user)) === 'created';
  if (isNew) note(log, 'registered', caller, user.id);
  if (!isRegisterRevealing) return 'accepted';
  if (!isNew) return { cause: 'email_taken' };
  await counted.forgiveEmail();
  return (await sessions.begin({ ...user, passwordChangedAtMs: nowMs })) ?? LOGIN_FAILED;
}
