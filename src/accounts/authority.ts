import type { IssuerSettings, JwtSettings } from '#core/account-settings.ts';
import type { Clock } from '#core/clock.ts';
import type { Keyring, TrustedIssuer, VerificationKey } from '#core/jwt/keyring.ts';
import type { Log } from '#telemetry/log.ts';
import { fetchJwks } from './issuers/fetch-jwks.ts';
import { readJwks } from './issuers/jwks.ts';
import { KeyCache, type KeySource, READ_AGAIN_MS } from './keys/key-cache.ts';
import { sharedSecret } from './keys/shared-secret.ts';
import type { KeyView, SigningKeys } from './keys/signing-keys.ts';
import { StoredKeys } from './keys/stored-keys.ts';
import type { KeyStore } from './store/contract.ts';
import { TokenIssuer } from './tokens.ts';

/** How often the keys of others are read. Own ones are read more often: so instances learn of a rotation. */
const READ_EVERY_MS = 5 * 60_000;

type RemoteKeys = {
  readonly uri: string;
  readonly cache: KeyCache;
  /** Resolves after they are followed no longer. */
  readonly fresh: Promise<void>;
  readonly stop: () => void;
};

/** Whose tokens are accepted and by which keys, and what own tokens are signed with. */
export class TokenAuthority implements AsyncDisposable {
  /** Called after the keyring has changed. */
  onChange: () => void = () => {};
  /** Issues own tokens. */
  readonly tokens: TokenIssuer;

  readonly #settings: JwtSettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ownKeys: SigningKeys;
  readonly #own: KeyCache;
  /** By issuer; those of which the configuration has the key are not among them. */
  #others: ReadonlyMap<string, RemoteKeys> = new Map();
  #issuers: readonly IssuerSettings[] = [];
  readonly #lifetime = new AbortController();
  #fresh: Promise<unknown> = Promise.resolve();
  #revision = 1;

  /**
   * Rejects with StoreUnavailable or a SignalboxError when own keys cannot be read, or cannot be used. Keys
   * of other issuers may come later.
   */
  static async open(settings: JwtSettings, store: KeyStore, clock: Clock, log: Log): Promise<TokenAuthority> {
    const authority = new TokenAuthority(settings, store, clock, log);
    await authority.#start();
    return authority;
  }

  private constructor(settings: JwtSettings, store: KeyStore, clock: Clock, log: Log) {
    const { secret, keySecret, accessTokenSeconds, issuer } = settings;
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    const ownKeys =
      secret === null
        ? new StoredKeys({ store, secret: keySecret, accessTokenSeconds, clock })
        : sharedSecret(secret);
    this.#ownKeys = ownKeys;
    this.tokens = new TokenIssuer(settings, ownKeys, clock);
    const own = { issuer, everyMs: READ_AGAIN_MS, read: () => ownKeys.read() };
    this.#own = this.#cache(own, this.#lifetime.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.abort();
    await this.#fresh;
    await Promise.all([...this.#others.values()].map(({ fresh }) => fresh));
  }

  keyring(): Keyring {
    const { issuer, audience, leewaySeconds } = this.#settings;
    const own: TrustedIssuer = { issuer, audience, isOwn: true, keys: this.#own.keys };
    const others = this.#issuers.map((other) => ({
      issuer: other.issuer,
      audience: other.audience,
      isOwn: false,
      keys: this.#keysOf(other),
    }));
    return { revision: this.#revision, leewaySeconds, issuers: [own, ...others] };
  }

  /** Looks for new keys of an issuer, if that is due; resolves when that has come to an end. Never rejects. */
  async look(issuer: string): Promise<void> {
    const cache = issuer === this.#settings.issuer ? this.#own : this.#others.get(issuer)?.cache;
    await cache?.look();
  }

  /**
   * Accepts tokens of these issuers beside own ones from now on, and of no others. Until the keys of a new one
   * are there, tokens that name it wait for a moment.
   */
  trust(issuers: readonly IssuerSettings[]): void {
    const before = this.#others;
    const others = new Map<string, RemoteKeys>();
    for (const { issuer, keys } of issuers) {
      if (keys.kind !== 'remote') continue;
      const known = before.get(issuer);
      others.set(issuer, known?.uri === keys.uri ? known : this.#follow(issuer, keys.uri));
    }
    for (const [issuer, known] of before) if (others.get(issuer) !== known) known.stop();
    this.#others = others;
    this.#issuers = issuers;
    this.#changed();
  }

  /** What others verify own tokens by: a JWK Set (RFC 7517 §5), as JSON. */
  jwks(): string {
    return JSON.stringify({ keys: this.#ownKeys.published() });
  }

  keys(): readonly KeyView[] {
    return this.#ownKeys.list();
  }

  /** Publishes a new key, which signs some time later. Rejects with a SignalboxError that says why not. */
  async rotate(): Promise<void> {
    await this.#ownKeys.rotate();
    await this.#own.read();
    this.#log.info({ keys: this.keys().map(({ kid, state }) => ({ kid, state })) }, 'signing keys rotated');
  }

  async #start(): Promise<void> {
    await this.#own.read();
    if (this.#own.problem !== null) throw this.#own.problem;
    this.#ownKeys.signer();
    this.#warnOfPlainKeys();
    this.#fresh = this.#own.keepFresh();
    this.trust(this.#settings.issuers);
  }

  #warnOfPlainKeys(): void {
    const { secret, keySecret } = this.#settings;
    if (secret !== null || this.keys().every(({ isEncrypted }) => isEncrypted)) return;
    this.#log.warn(
      keySecret === null
        ? 'the keys that sign tokens are not encrypted in the database: set SIGNALBOX_SECRET, and rotate them'
        : 'a key that signs tokens was made without SIGNALBOX_SECRET and is not encrypted in the database: rotate it',
    );
  }

  #keysOf({ issuer, keys }: IssuerSettings): readonly VerificationKey[] {
    return keys.kind === 'fixed' ? [keys.key] : (this.#others.get(issuer)?.cache.keys ?? []);
  }

  #remote(issuer: string, uri: string): KeySource {
    return {
      issuer,
      everyMs: READ_EVERY_MS,
      read: async (signal) => {
        const keys = readJwks(await fetchJwks(uri, this.#clock, signal));
        if (keys.length === 0) this.#log.warn({ issuer }, 'the issuer publishes no key that can be used');
        return keys;
      },
    };
  }

  #follow(issuer: string, uri: string): RemoteKeys {
    const life = new AbortController();
    const signal = AbortSignal.any([life.signal, this.#lifetime.signal]);
    const cache = this.#cache(this.#remote(issuer, uri), signal);
    void cache.read();
    return { uri, cache, fresh: cache.keepFresh(), stop: () => life.abort() };
  }

  #cache(source: KeySource, signal: AbortSignal): KeyCache {
    return new KeyCache(source, () => this.#changed(), signal, this.#clock, this.#log);
  }

  #changed(): void {
    this.#revision++;
    this.onChange();
  }
}
