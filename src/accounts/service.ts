import type { Clock } from '#core/clock.ts';
import type { Refusal, RefusalCause } from '#core/refusals.ts';
import type { AccountSettings } from '#core/settings.ts';
import type { Log } from '#telemetry/log.ts';
import type { Passwords } from './passwords.ts';
import { normaliseEmail, normalisePassword, PasswordPolicy } from './policy.ts';
import type { Grant, Sessions } from './sessions.ts';
import type { AccountStore, UserWithPassword } from './store/contract.ts';
import { AttemptThrottle, type Counter } from './throttle.ts';
import { newUuid } from './uuid.ts';

/** Who asks: for limits and for the log. */
export type Caller = { readonly address: string; readonly requestId: string };

export type Credentials = { readonly email: string; readonly password: string };

/** A grant; `accepted` where registering does not reveal what became of it; or why there is none. */
export type RegisterResult = Grant | 'accepted' | Refusal;

/** Logins and registrations under way, a few more than hashes: beyond, not even the database is asked. */
const ATTEMPTS_MAX = 24;
/** For a hash that is waited for. */
const RETRY_SECONDS = 1;

/** Registers people and logs them in. Methods reject with StoreUnavailable, having done all or nothing. */
export class AccountService {
  readonly #settings: AccountSettings;
  readonly #store: AccountStore;
  readonly #passwords: Passwords;
  readonly #policy: PasswordPolicy;
  readonly #throttle: AttemptThrottle;
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  readonly #log: Log;
  #underWay = 0;

  constructor(
    settings: AccountSettings,
    store: AccountStore,
    passwords: Passwords,
    sessions: Sessions,
    clock: Clock,
    log: Log,
  ) {
    this.#settings = settings;
    this.#store = store;
    this.#passwords = passwords;
    this.#policy = new PasswordPolicy(settings.password);
    this.#throttle = new AttemptThrottle(store.throttle, settings.throttle, settings.ipv6PrefixBits, clock);
    this.#sessions = sessions;
    this.#clock = clock;
    this.#log = log;
  }

  register(given: Credentials, caller: Caller): Promise<RegisterResult> {
    return this.#oneOfFew<RegisterResult>(() => this.#register(given, caller));
  }

  login(given: Credentials, caller: Caller): Promise<Grant | Refusal> {
    return this.#oneOfFew<Grant | Refusal>(() => this.#login(given, caller));
  }

  async #oneOfFew<Result>(attempt: () => Promise<Result>): Promise<Result | Refusal> {
    if (this.#underWay >= ATTEMPTS_MAX) return OVERLOADED;
    this.#underWay++;
    try {
      return await attempt();
    } finally {
      this.#underWay--;
    }
  }

  async #register(given: Credentials, caller: Caller): Promise<RegisterResult> {
    const email = normaliseEmail(given.email);
    if (email === null) return invalid('The email is not one: at most 254 characters, with one @.');
    const password = normalisePassword(given.password);
    if (password === null) return invalid('The password is too long (128 characters), or no text.');
    const problem = this.#policy.problemWith(password);
    if (problem !== null) return invalid(problem);

    const byEmail = this.#throttle.byEmail('register', email);
    const refusal = await this.#admit(
      [this.#throttle.byAddress('register', caller.address), byEmail],
      caller,
    );
    if ('cause' in refusal) return refusal;

    // Hashed first, be the email taken or not: so both take the same time.
    const passwordHash = await this.#passwords.hash(password);
    if (passwordHash === null) return this.#turnAway(refusal);
    const nowMs = this.#clock.wallMs();
    const user = { id: newUuid(nowMs), email, passwordHash, createdAtMs: nowMs };
    const isNew = (await this.#store.users.create(user)) === 'created';
    if (isNew) this.#note('registered', caller, user.id);
    if (!this.#settings.isRegisterRevealing) return 'accepted';
    if (!isNew) return { cause: 'email_taken' };
    await this.#throttle.reset(byEmail);
    const grant = await this.#sessions.begin({ ...user, passwordChangedAtMs: nowMs });
    return grant ?? { cause: 'login_failed', challenge: CHALLENGE };
  }

  async #login(given: Credentials, caller: Caller): Promise<Grant | Refusal> {
    // What cannot be an email or a password is treated as one that nobody has.
    const email = normaliseEmail(given.email) ?? '';
    const password = normalisePassword(given.password);
    const byEmail = this.#throttle.byEmail('login', email);
    const admitted = await this.#admit([this.#throttle.byAddress('login', caller.address), byEmail], caller);
    if ('cause' in admitted) return admitted;

    const user = email === '' ? null : await this.#store.users.findByEmail(email);
    const isRight = await this.#passwords.verify(user?.passwordHash ?? null, password ?? '');
    if (isRight === null) return this.#turnAway(admitted);
    if (user === null || !isRight || password === null || user.disabledAtMs !== null) {
      return this.#loginFailed(caller, user);
    }
    await this.#rehash(user, password);
    const grant = await this.#sessions.begin(user);
    if (grant === null) return this.#loginFailed(caller, user);
    await admitted.undo();
    await this.#throttle.reset(byEmail);
    this.#note('logged in', caller, user.id);
    return grant;
  }

  async #admit(
    counters: readonly Counter[],
    caller: Caller,
  ): Promise<Refusal | { undo: () => Promise<void> }> {
    const admission = await this.#throttle.admit(counters);
    if (admission.isAdmitted) return { undo: admission.undo };
    this.#log.debug({ ip: caller.address, request_id: caller.requestId }, 'attempt refused: too many');
    return { cause: 'login_throttled', retryAfterSeconds: admission.retryAfterSeconds };
  }

  /** Nothing was looked at, so the attempt is not held against anyone. */
  async #turnAway(admitted: { undo: () => Promise<void> }): Promise<Refusal> {
    await admitted.undo();
    return OVERLOADED;
  }

  #loginFailed(caller: Caller, user: UserWithPassword | null): Refusal {
    this.#note('login failed', caller, user?.id ?? null);
    return { cause: 'login_failed', challenge: CHALLENGE };
  }

  /** Its hash was made with less than what is asked for today. Not done now, it is done next time. */
  async #rehash({ id, passwordHash }: UserWithPassword, password: string): Promise<void> {
    if (!this.#passwords.isOutdated(passwordHash)) return;
    const newHash = await this.#passwords.hash(password);
    if (newHash !== null) await this.#store.users.rehash(id, passwordHash, newHash);
  }

  /** Neither emails nor anything that was sent: only ids and addresses. */
  #note(event: string, { address, requestId }: Caller, userId: string | null): void {
    this.#log.info({ user_id: userId, ip: address, request_id: requestId }, event);
  }
}

/** A 401 has one (RFC 9110 §11.6.1); browsers do not ask for a password because of it. */
export const CHALLENGE = 'Bearer realm="signalbox"';

const OVERLOADED: Refusal = { cause: 'overloaded', retryAfterSeconds: RETRY_SECONDS };

function invalid(detail: string): Refusal {
  const cause: RefusalCause = 'input_invalid';
  return { cause, detail };
}
