import type { Revocation } from '#core/jwt/revoked-sessions.ts';
import type { AccountParts } from './parts.ts';
import { normaliseEmail } from './policy.ts';
import type { User } from './store/contract.ts';
import { isUuid } from './uuid.ts';

/** What became of an operator's new password for a user. */
export type PasswordSet =
  | { readonly outcome: 'set' | 'no_user' | 'overloaded' }
  | { readonly outcome: 'refused'; readonly problem: string };

/** What an operator can do to accounts. Methods reject with StoreUnavailable, having done all or nothing. */
export class UserAdministration {
  readonly #parts: AccountParts;

  constructor(parts: AccountParts) {
    this.#parts = parts;
  }

  /** In the order in which they registered; `after` is an id (null: from the first). Null if it is none. */
  async list(after: string | null, limit: number): Promise<User[] | null> {
    if (after !== null && !isUuid(after)) return null;
    return this.#parts.store.users.list({ after, limit });
  }

  /** By id or email. */
  async find(name: string): Promise<User | null> {
    const { users } = this.#parts.store;
    if (isUuid(name)) return users.findById(name);
    const email = normaliseEmail(name);
    return email === null ? null : users.findByEmail(email);
  }

  /** These end the user's sessions; false when there is no such user any more. */
  async disable({ id }: User): Promise<boolean> {
    const { store, clock } = this.#parts;
    return this.#ended('user disabled', id, await store.users.disable(id, clock.wallMs()));
  }

  async delete({ id }: User): Promise<boolean> {
    const { store, clock } = this.#parts;
    return this.#ended('user deleted', id, await store.users.delete(id, clock.wallMs()));
  }

  async revokeSessions({ id }: User): Promise<boolean> {
    const { store, clock } = this.#parts;
    return this.#ended(
      'sessions revoked',
      id,
      await store.sessions.revokeAll(id, 'operator', clock.wallMs()),
    );
  }

  /** Also ends their sessions. The password has to be as good as one that the user could choose. */
  async setPassword({ id }: User, text: string): Promise<PasswordSet> {
    const { store, passwords, policy, clock } = this.#parts;
    const choice = policy.choose(text);
    if ('problem' in choice) return { outcome: 'refused', problem: choice.problem };
    const newHash = await passwords.hash(choice.password);
    if (newHash === null) return { outcome: 'overloaded' };
    const changed = await store.users.changePassword({ id, oldHash: null, newHash, nowMs: clock.wallMs() });
    const isDone = this.#ended('password set', id, changed?.revocations ?? null);
    return { outcome: isDone ? 'set' : 'no_user' };
  }

  async enable({ id }: User): Promise<boolean> {
    const { store, log } = this.#parts;
    const isDone = await store.users.enable(id);
    if (isDone) log.info({ user_id: id }, 'user enabled');
    return isDone;
  }

  /** One session, by its id: `sid` in access tokens. It may have ended before; false for what is no id. */
  async revokeSession(id: string): Promise<boolean> {
    const { store, revocations, clock, log } = this.#parts;
    if (!isUuid(id)) return false;
    const revocation = await store.sessions.revoke(id, 'operator', clock.wallMs());
    if (revocation !== null) revocations.announce([revocation]);
    log.info({ session_id: id }, 'session revoked');
    return true;
  }

  #ended(event: string, userId: string, ended: readonly Revocation[] | null): boolean {
    const { revocations, log } = this.#parts;
    if (ended === null) return false;
    revocations.announce(ended);
    log.info({ user_id: userId }, event);
    return true;
  }
}
