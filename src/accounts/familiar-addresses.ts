import { hash } from 'node:crypto';
import type { Clock } from '#core/clock.ts';
import { normaliseClientIp } from '#core/limits/client-ip.ts';
import type { Throttle, ThrottleStore } from './store/contract.ts';

const DAY_MS = 24 * 60 * 60_000;
/** How long an address is familiar after a login. */
const FAMILIAR_MS = 30 * DAY_MS;

/**
 * The addresses that have logged in to an account. What fails from them is counted apart, so that strangers who
 * guess its password do not keep its owner out. Neither emails nor addresses are stored as they are.
 */
export class FamiliarAddresses {
  readonly #store: ThrottleStore;
  readonly #ipv6PrefixBits: number;
  readonly #clock: Clock;

  constructor(store: ThrottleStore, ipv6PrefixBits: number, clock: Clock) {
    this.#store = store;
    this.#ipv6PrefixBits = ipv6PrefixBits;
    this.#clock = clock;
  }

  /** Rejects as the store does. */
  async has(email: string, address: string): Promise<boolean> {
    const seen = await this.#store.read(this.#keyOf(email, address));
    return seen !== null && seen.expiresAtMs > this.#clock.wallMs();
  }

  /** Once a day, however often it is called. Rejects as the store does. */
  async add(email: string, address: string): Promise<void> {
    const key = this.#keyOf(email, address);
    const expiresAtMs = this.#clock.wallMs() + FAMILIAR_MS;
    const seen = await this.#store.read(key);
    if (seen !== null && seen.expiresAtMs > expiresAtMs - DAY_MS) return;
    const next: Throttle = { failures: 0, blockedUntilMs: 0, expiresAtMs };
    // When somebody else is quicker, it is done as well.
    await this.#store.record(key, seen, next);
  }

  #keyOf(email: string, address: string): string {
    const client = normaliseClientIp(address, this.#ipv6PrefixBits);
    return `familiar:${hash('sha256', `${email}\n${client}`, 'hex')}`;
  }
}
