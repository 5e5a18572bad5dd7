import type { QuestionHandlers } from '#control/questions.ts';
import type { TokenNews } from '#control/workers.ts';
import type { Clock } from '#core/clock.ts';
import { Revocations } from '#core/jwt/revocations.ts';
import type { JwtSettings, Settings } from '#core/settings.ts';
import { JWKS_PATH } from '#http/local.ts';
import type { Log } from '#telemetry/log.ts';
import { TokenAuthority } from './authority.ts';
import { jwksPage } from './jwks-page.ts';
import type { AccountStore } from './store/contract.ts';
import { openStore } from './store/open.ts';

/** All that an instance has for `auth_type: jwt`. */
export class Accounts implements AsyncDisposable {
  readonly store: AccountStore;
  readonly authority: TokenAuthority;
  /** Sessions whose access tokens are refused, for workers that start later. */
  readonly revocations = new Revocations();

  /** What workers verify tokens by. */
  readonly news: TokenNews;

  private constructor(store: AccountStore, authority: TokenAuthority, clock: Clock) {
    this.store = store;
    this.authority = authority;
    this.news = {
      keyring: () => authority.keyring(),
      revoked: () => this.revocations.live(clock.wallMs()),
      look: (issuer) => authority.look(issuer),
    };
  }

  /** Rejects with StoreUnavailable, or a SignalboxError that says what its operator has to do. */
  static async open(
    jwt: JwtSettings,
    database: Settings['database'],
    clock: Clock,
    log: Log,
  ): Promise<Accounts> {
    const store = await openStore(database, clock);
    try {
      return new Accounts(store, await TokenAuthority.open(jwt, store.keys, clock, log), clock);
    } catch (error) {
      await store[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Answers to the questions that workers have. */
  questions(): QuestionHandlers {
    return jwksPage(JWKS_PATH, this.authority);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.authority[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }
}
