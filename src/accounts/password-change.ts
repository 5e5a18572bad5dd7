import type { Refusal } from '#core/refusals.ts';
import { type Counted, OVERLOADED } from './attempts.ts';
import { type AccountParts, type Caller, invalid, note } from './parts.ts';
import { normalisePassword } from './policy.ts';
import type { Grant } from './sessions.ts';
import type { UserWithPassword } from './store/contract.ts';

/** As they were sent. */
export type NewPassword = { readonly current: string; readonly chosen: string };

const WRONG: Refusal = { cause: 'password_wrong' };

/**
 * Gives a user another password. It ends all sessions of theirs and begins another one, so that whoever else
 * has a token of an old one is out. Null when there is no such user any more. Rejects with StoreUnavailable.
 */
export async function changePassword(
  parts: AccountParts,
  userId: string,
  given: NewPassword,
  caller: Caller,
): Promise<Grant | Refusal | null> {
  const choice = parts.policy.choose(given.chosen);
  if ('problem' in choice) return invalid(choice.problem);
  const user = await parts.store.users.findById(userId);
  if (user === null || user.disabledAtMs !== null) return null;
  // Counted as logins are: it is no second way to guess.
  return parts.attempts.make<Grant | null>({ action: 'login', email: user.email }, caller, (counted) =>
    change(parts, user, normalisePassword(given.current), choice.password, caller, counted),
  );
}

async function change(
  { store, passwords, sessions, revocations, clock, log }: AccountParts,
  { id, passwordHash }: UserWithPassword,
  current: string | null,
  chosen: string,
  caller: Caller,
  counted: Counted,
): Promise<Grant | Refusal | null> {
  const isRight = await passwords.verify(current === null ? null : passwordHash, current ?? '');
  if (isRight === null) return OVERLOADED;
  const fail = () => {
    note(log, 'password not changed: the current one was wrong', caller, id);
    return WRONG;
  };
  if (!isRight) return fail();
  const newHash = await passwords.hash(chosen);
  if (newHash === null) return OVERLOADED;
  const changed = await store.users.changePassword({
    id,
    oldHash: passwordHash,
    newHash,
    nowMs: clock.wallMs(),
  });
  // Somebody else was quicker.
  if (changed === null) return fail();
  revocations.announce(changed.revocations);
  await counted.forgive();
  note(log, 'password changed', caller, id);
  return sessions.begin(changed.user);
}
