import { hash } from 'node:crypto';
import type { ThrottleSettings } from '#core/account-settings.ts';
import type { Clock } from '#core/clock.ts';
import { normaliseClientIp } from '#core/limits/client-ip.ts';
import type { Throttle, ThrottleStore } from './store/contract.ts';

/** After the first failure too many; doubles with each. */
const DELAY_FIRST_MS = 1_000;
/** Others recorded something at the same moment, again and again: as good as too many. */
const TRIES_MAX = 20;
/** Beyond, the delay is the longest anyway. */
const DOUBLINGS_MAX = 20;

/** What attempts are counted by, and how many are free of delay. */
export type Counter = { readonly key: string; readonly attemptsMax: number };

/** `undo` takes back what was counted. */
export type Admission =
  | { readonly isAdmitted: true; undo(): Promise<void> }
  | { readonly isAdmitted: false; readonly retryAfterSeconds: number };

/**
 * Slows guessing down. An attempt counts as a failure before its password is looked at, so that of many at
 * once no more get through than one after the other; one that succeeds is taken back. While a delay runs,
 * nothing is looked at, and nothing is counted: it ends for everyone at the same time. All of it is in the
 * database, so that every instance knows.
 */
export class AttemptThrottle {
  readonly #store: ThrottleStore;
  readonly #settings: ThrottleSettings;
  readonly #ipv6PrefixBits: number;
  readonly #clock: Clock;
  /** By key, the end of what is under way here: an instance does not race against itself. */
  readonly #ends = new Map<string, Promise<unknown>>();

  constructor(store: ThrottleStore, settings: ThrottleSettings, ipv6PrefixBits: number, clock: Clock) {
    this.#store = store;
    this.#settings = settings;
    this.#ipv6PrefixBits = ipv6PrefixBits;
    this.#clock = clock;
  }

  /** Of an action from an address. */
  byAddress(action: 'login' | 'register', address: string): Counter {
    return { key: `${action}:ip:${this.#clientOf(address)}`, attemptsMax: this.#settings.attemptsPerIpMax };
  }

  /**
   * Of an action on an email, which is not stored: strangers' ones come here as well. With an address: only of
   * what comes from there.
   */
  byEmail(action: 'login' | 'register', email: string, address: string | null): Counter {
    const who = address === null ? email : `${email}\n${this.#clientOf(address)}`;
    return { key: `${action}:email:${hash('sha256', who, 'hex')}`, attemptsMax: this.#settings.attemptsMax };
  }

  /** Counts an attempt by all counters, or by none of them if one has to wait. Rejects as the store does. */
  async admit(counters: readonly Counter[]): Promise<Admission> {
    const counted: { counter: Counter; next: Throttle }[] = [];
    for (const counter of counters) {
      const result = await this.#inTurn(counter.key, () => this.#count(counter));
      if ('retryAfterSeconds' in result) {
        await this.#takeBack(counted);
        return { isAdmitted: false, retryAfterSeconds: result.retryAfterSeconds };
      }
      counted.push({ counter, next: result.next });
    }
    return { isAdmitted: true, undo: () => this.#takeBack(counted) };
  }

  async reset({ key }: Counter): Promise<void> {
    await this.#store.reset(key);
  }

  #clientOf(address: string): string {
    return normaliseClientIp(address, this.#ipv6PrefixBits);
  }

  async #count({ key, attemptsMax }: Counter): Promise<{ next: Throttle } | { retryAfterSeconds: number }> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const nowMs = this.#clock.wallMs();
      const seen = await this.#store.read(key);
      const current = seen !== null && seen.expiresAtMs > nowMs ? seen : null;
      if (current !== null && current.blockedUntilMs > nowMs) {
        return { retryAfterSeconds: Math.ceil((current.blockedUntilMs - nowMs) / 1000) };
      }
      const next = this.#after((current?.failures ?? 0) + 1, attemptsMax, nowMs);
      if (await this.#store.record(key, seen, next)) return { next };
    }
    return { retryAfterSeconds: 1 };
  }

  #after(failures: number, attemptsMax: number, nowMs: number): Throttle {
    const { delayMsMax, forgetMs } = this.#settings;
    const doublings = Math.min(failures - attemptsMax, DOUBLINGS_MAX);
    const delayMs = doublings < 0 ? 0 : Math.min(DELAY_FIRST_MS * 2 ** doublings, delayMsMax);
    return {
      failures,
      blockedUntilMs: delayMs === 0 ? 0 : nowMs + delayMs,
      expiresAtMs: nowMs + delayMs + forgetMs,
    };
  }

  /** Best effort: should others record something all the time, an attempt too many stays counted. */
  async #takeBack(counted: readonly { counter: Counter; next: Throttle }[]): Promise<void> {
    for (const { counter, next } of counted) {
      await this.#inTurn(counter.key, () => this.#takeBackOne(counter.key, next));
    }
  }

  async #takeBackOne(key: string, mine: Throttle): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const seen = await this.#store.read(key);
      if (seen === null || seen.failures === 0) return;
      const blockedUntilMs = seen.blockedUntilMs === mine.blockedUntilMs ? 0 : seen.blockedUntilMs;
      const next = { ...seen, failures: seen.failures - 1, blockedUntilMs };
      if (await this.#store.record(key, seen, next)) return;
    }
  }

  /** Who waits for one that fails, fails with it: the database is away for all of them. */
  async #inTurn<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const done = (this.#ends.get(key) ?? Promise.resolve()).then(work);
    this.#ends.set(key, done);
    try {
      return await done;
    } finally {
      if (this.#ends.get(key) === done) this.#ends.delete(key);
    }
  }
}
