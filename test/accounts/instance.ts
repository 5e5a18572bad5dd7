/** The accounts of one instance without its workers: what it answers, and what it tells them. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Attempts } from '#accounts/attempts.ts';
import { TokenAuthority } from '#accounts/authority.ts';
import { Bearers } from '#accounts/bearer.ts';
import { FamiliarAddresses } from '#accounts/familiar-addresses.ts';
import { AuthPages } from '#accounts/pages.ts';
import { type Hasher, Passwords } from '#accounts/passwords.ts';
import { PasswordPolicy } from '#accounts/policy.ts';
import { Revocations } from '#accounts/revocations.ts';
import { Sessions } from '#accounts/sessions.ts';
import type { AccountStore } from '#accounts/store/contract.ts';
import { openStore } from '#accounts/store/open.ts';
import { AttemptThrottle } from '#accounts/throttle.ts';
import { UserAdministration } from '#accounts/users.ts';
import type { Bus } from '#bus/contract.ts';
import { MemoryBus } from '#bus/memory.ts';
import type { AccountSettings, JwtSettings } from '#core/account-settings.ts';
import { REFUSALS, type Refusal } from '#core/refusals.ts';
import { keptLog } from '#test/support/log.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { jwtSettings } from './support.ts';

export const EMAIL = 'user@example.com';
export const PASSWORD = 'SecurePass123!';
export const USER = { email: EMAIL, password: PASSWORD };

/** Quick, and counts what it was asked. */
export class FakeHasher implements Hasher {
  hashes = 0;
  readonly verified: string[] = [];
  version = 1;

  async hash(password: string): Promise<string> {
    this.hashes++;
    return `v${this.version}:${hash('sha256', password)}`;
  }

  async verify(stored: string, password: string): Promise<boolean> {
    this.verified.push(stored);
    return stored.endsWith(`:${hash('sha256', password)}`);
  }

  isOutdated(stored: string): boolean {
    return !stored.startsWith(`v${this.version}:`);
  }
}

/** A client that sends JSON to `/auth/…`. */
export type Answer = {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly refusal: Refusal | null;
};

export type Sender = { readonly ip?: string; readonly token?: string; readonly tokens?: readonly string[] };

export type Options = {
  readonly jwt?: Partial<JwtSettings>;
  readonly accounts?: Partial<AccountSettings>;
  /** What instances share. */
  readonly clock?: VirtualClock;
  readonly bus?: Bus;
  readonly store?: AccountStore;
  readonly hasher?: Hasher;
};

export const ACCOUNT_SETTINGS: AccountSettings = {
  isRegisterRevealing: true,
  password: { lengthMin: 8, mustMix: true, commonPasswords: [] },
  throttle: { attemptsMax: 5, attemptsPerIpMax: 50, delayMsMax: 300_000, forgetMs: 3_600_000 },
};

const IPV6_PREFIX_BITS = 64;

/** A new, empty database, which goes away with the test. */
export async function newStore(t: TestContext, clock: VirtualClock): Promise<AccountStore> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-accounts-'));
  const store = await openStore({ kind: 'sqlite', file: join(folder, 'accounts.db') }, clock);
  t.after(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  return store;
}

export async function startAccounts(t: TestContext, options: Options = {}) {
  const clock = options.clock ?? new VirtualClock();
  const { log, lines } = keptLog();
  const bus = options.bus ?? new MemoryBus({ clock, log });
  const store = options.store ?? (await newStore(t, clock));
  const hasher = options.hasher ?? new FakeHasher();
  const jwt = jwtSettings(options.jwt);
  const authority = await TokenAuthority.open(jwt, store.keys, clock, log);
  t.after(() => authority[Symbol.asyncDispose]());
  const revoked: string[] = [];
  const revocations = await Revocations.open({
    bus,
    store: store.sessions,
    accessMs: (jwt.accessTokenSeconds + jwt.leewaySeconds) * 1000,
    instance: 'test',
    onRevoked: ({ sessions }) => revoked.push(...sessions.map(({ sessionId }) => sessionId)),
    clock,
    log,
  });
  t.after(() => revocations[Symbol.asyncDispose]());
  const { password, throttle, isRegisterRevealing } = {
    ...ACCOUNT_SETTINGS,
    ...options.accounts,
  };
  const parts = {
    store,
    passwords: new Passwords(2, hasher),
    policy: new PasswordPolicy(password),
    attempts: new Attempts(
      new AttemptThrottle(store.throttle, throttle, IPV6_PREFIX_BITS, clock),
      new FamiliarAddresses(store.throttle, IPV6_PREFIX_BITS, clock),
      log,
    ),
    sessions: new Sessions(jwt, store.sessions, authority.tokens, revocations, clock, log),
    revocations,
    isRegisterRevealing,
    clock,
    log,
  };
  const bearers = new Bearers(() => authority.keyring(), revocations, clock);
  const handlers = new AuthPages(parts, bearers).handlers();
  const users = new UserAdministration(parts);

  /** `body` is sent as it is if it is a text. */
  async function post(name: string, body: unknown, sender: Sender = {}): Promise<Answer> {
    const path = `/auth/${name}`;
    const { ip = '192.0.2.1', token = '', tokens = token === '' ? [] : [token] } = sender;
    const answer = await handlers.get(`POST ${path}`)?.({
      method: 'POST',
      path,
      headers: tokens.flatMap((one) => ['Authorization', `Bearer ${one}`]),
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      clientAddress: ip,
      requestId: '1'.repeat(32),
    });
    assert.ok(answer !== undefined);
    if ('refusal' in answer) {
      const { refusal } = answer;
      return { status: REFUSALS[refusal.cause].status, body: {}, refusal };
    }
    return { status: answer.status, body: JSON.parse(Buffer.from(answer.body).toString()), refusal: null };
  }

  return { clock, bus, store, hasher, lines, revoked, revocations, users, post };
}

export type TestAccounts = Awaited<ReturnType<typeof startAccounts>>;

/** The tokens of an answer that has some. */
export function tokensOf({ body }: Answer): { access: string; refresh: string; sid: string } {
  const [access, refresh] = [String(body['access_token']), String(body['refresh_token'])];
  const claims: { sid: string } = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString());
  return { access, refresh, sid: claims.sid };
}

/** Registers the user and returns their tokens. */
export async function registered({ post }: Pick<TestAccounts, 'post'>, user = USER) {
  const answer = await post('register', user);
  assert.equal(answer.status, 201);
  return tokensOf(answer);
}
