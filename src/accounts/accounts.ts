import type { Bus } from '#bus/contract.ts';
import type { QuestionHandlers } from '#control/questions.ts';
import type { TokenNews } from '#control/workers.ts';
import type { AccountSettings, DatabaseSettings, JwtSettings } from '#core/account-settings.ts';
import type { Clock } from '#core/clock.ts';
import type { Revoked } from '#core/jwt/revoked-sessions.ts';
import { systemRandom } from '#core/random.ts';
import type { Log } from '#telemetry/log.ts';
import { Attempts } from './attempts.ts';
import { TokenAuthority } from './authority.ts';
import { Bearers } from './bearer.ts';
import { FamiliarAddresses } from './familiar-addresses.ts';
import { keepClean } from './janitor.ts';
import { jwksPage } from './jwks-page.ts';
import { AuthPages } from './pages.ts';
import type { AccountParts } from './parts.ts';
import { Passwords } from './passwords.ts';
import { PasswordPolicy } from './policy.ts';
import { Revocations } from './revocations.ts';
import { ISSUE_MS_MAX, Sessions } from './sessions.ts';
import { openPatiently } from './store/open-patiently.ts';
import { AttemptThrottle } from './throttle.ts';
import { UserAdministration } from './users.ts';

export type AccountsOptions = {
  readonly jwt: JwtSettings;
  readonly accounts: AccountSettings;
  readonly database: DatabaseSettings;
  /** IPv6 clients are told apart by this many leading bits of their address. */
  readonly ipv6PrefixBits: number;
  readonly bus: Bus;
  /** Id of this instance. */
  readonly instance: string;
  /** Of the machine. */
  readonly cores: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Gives up opening. */
  readonly signal: AbortSignal;
};

/** All that an instance has for `auth_type: jwt`. */
export class Accounts implements AsyncDisposable {
  /** Called with sessions whose access tokens are refused from now on. */
  onRevoked: (revoked: Revoked) => void = () => {};
  readonly authority: TokenAuthority;
  readonly administration: UserAdministration;
  /** What workers verify tokens by. */
  readonly news: TokenNews;

  readonly #questions: QuestionHandlers;
  readonly #parts: AsyncDisposableStack;

  /** Rejects with StoreUnavailable, or a SignalboxError that says what its operator has to do. */
  static async open(options: AccountsOptions): Promise<Accounts> {
    const { jwt, database, ipv6PrefixBits, bus, instance, clock, log, signal } = options;
    let accounts: Accounts | null = null;
    await using parts = new AsyncDisposableStack();
    const store = parts.use(await openPatiently(database, clock, log, signal));
    const authority = parts.use(await TokenAuthority.open(jwt, store.keys, clock, log));
    const revocations = parts.use(
      await Revocations.open({
        bus,
        store: store.sessions,
        accessMs: (jwt.accessTokenSeconds + jwt.leewaySeconds) * 1000 + ISSUE_MS_MAX,
        instance,
        onRevoked: (revoked) => accounts?.onRevoked(revoked),
        clock,
        log,
      }),
    );
    const lifetime = new AbortController();
    const cleaning = keepClean(store, clock, systemRandom, log, lifetime.signal);
    parts.defer(() => {
      lifetime.abort();
      return cleaning;
    });
    const { password, throttle, isRegisterRevealing } = options.accounts;
    const attempts = new Attempts(
      new AttemptThrottle(store.throttle, throttle, ipv6PrefixBits, clock),
      new FamiliarAddresses(store.throttle, ipv6PrefixBits, clock),
      log,
    );
    const shared: AccountParts = {
      store,
      passwords: new Passwords(options.cores),
      policy: new PasswordPolicy(password),
      attempts,
      sessions: new Sessions(jwt, store.sessions, authority.tokens, revocations, clock, log),
      revocations,
      isRegisterRevealing,
      clock,
      log,
    };
    const pages = new AuthPages(shared, new Bearers(() => authority.keyring(), revocations, clock));
    const administration = new UserAdministration(shared);
    accounts = new Accounts(authority, administration, revocations, pages.handlers(), parts.move());
    return accounts;
  }

  private constructor(
    authority: TokenAuthority,
    administration: UserAdministration,
    revocations: Revocations,
    pages: QuestionHandlers,
    parts: AsyncDisposableStack,
  ) {
    this.authority = authority;
    this.administration = administration;
    this.news = {
      keyring: () => authority.keyring(),
      revoked: () => revocations.live(),
      look: (issuer) => authority.look(issuer),
    };
    this.#questions = new Map([...jwksPage(authority), ...pages]);
    this.#parts = parts;
  }

  /** Answers to the questions that workers have. */
  questions(): QuestionHandlers {
    return this.#questions;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}
