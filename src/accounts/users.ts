import type { Clock } from '#core/clock.ts';
import type { Log } from '#telemetry/log.ts';
import { normaliseEmail } from './policy.ts';
import type { Revocations } from './revocations.ts';
import type { AccountStore, Revocation, User } from './store/contract.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What an operator can do to accounts. Methods reject with StoreUnavailable, having done all or nothing. */
export class UserAdministration {
  readonly #store: AccountStore;
  readonly #revocations: Revocations;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(store: AccountStore, revocations: Revocations, clock: Clock, log: Log) {
    this.#store = store;
    this.#revocations = revocations;
    this.#clock = clock;
    this.#log = log;
  }

  /** In the order in which they registered; `after` is an id, null: from the first. */
  list(after: string | null, limit: number): Promise<User[]> {
    return this.#store.users.list({ after, limit });
  }

  /** By id or email. */
  async find(name: string): Promise<User | null> {
    if (UUID.test(name)) return this.#store.users.findById(name);
    const email = normaliseEmail(name);
    return email === null ? null : this.#store.users.findByEmail(email);
  }

  /** These end the user's sessions; false when there is no such user any more. */
  async disable({ id }: User): Promise<boolean> {
    return this.#ended('user disabled', id, await this.#store.users.disable(id, this.#clock.wallMs()));
  }

  async delete({ id }: User): Promise<boolean> {
    return this.#ended('user deleted', id, await this.#store.users.delete(id, this.#clock.wallMs()));
  }

  async revokeSessions({ id }: User): Promise<boolean> {
    const revoked = await this.#store.sessions.revokeAll(id, 'operator', this.#clock.wallMs());
    return this.#ended('sessions revoked', id, revoked);
  }

  async enable({ id }: User): Promise<boolean> {
    const isDone = await this.#store.users.enable(id);
    if (isDone) this.#log.info({ user_id: id }, 'user enabled');
    return isDone;
  }

  /** One session, by its id: `sid` in access tokens. It may have ended before; false for what is no id. */
  async revokeSession(id: string): Promise<boolean> {
    if (!UUID.test(id)) return false;
    const revocation = await this.#store.sessions.revoke(id, 'operator', this.#clock.wallMs());
    if (revocation !== null) this.#revocations.announce([revocation]);
    this.#log.info({ session_id: id }, 'session revoked');
    return true;
  }

  #ended(event: string, userId: string, revocations: readonly Revocation[] | null): boolean {
    if (revocations === null) return false;
    this.#revocations.announce(revocations);
    this.#log.info({ user_id: userId }, event);
    return true;
  }
}
