import type { Clock } from '#core/clock.ts';

/** How long a request waits for a key that may be new; after that, it has none. */
export const KEY_WAIT_MS_MAX = 2_000;
/** Requests of one worker that wait; more are not worth waiting for. */
export const KEY_WAITERS_MAX = 256;
/** Before the control plane is asked again about an issuer. It has a limit of its own for asking them. */
export const ASK_AGAIN_MS = 1_000;

/**
 * Waits for keys of an issuer that has made new ones. The control plane is asked once, whoever waits, and
 * answers with the keyring it then has. No request with a key that is known ever comes here.
 */
export class MissingKeys {
  readonly #ask: (issuer: string) => void;
  readonly #clock: Clock;
  /** By issuer: Clock.monotonicMs(). As many entries as there are issuers. */
  readonly #askedMs = new Map<string, number>();
  readonly #waiters = new Set<() => void>();
  readonly #underWay = new Set<string>();

  constructor(ask: (issuer: string) => void, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** Resolves when it is worth looking again, at the latest after KEY_WAIT_MS_MAX; null: it is not. */
  wait(issuer: string): Promise<void> | null {
    if (this.#waiters.size >= KEY_WAITERS_MAX) return null;
    if (!this.#underWay.has(issuer) && !this.#askNow(issuer)) return null;
    return new Promise((resolve) => {
      const settle = () => {
        timer.cancel();
        this.#waiters.delete(settle);
        resolve();
      };
      const timer = this.#clock.after(KEY_WAIT_MS_MAX, settle);
      this.#waiters.add(settle);
    });
  }

  /** The control plane has answered. */
  answered(): void {
    this.#underWay.clear();
    for (const settle of [...this.#waiters]) settle();
  }

  #askNow(issuer: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - (this.#askedMs.get(issuer) ?? -Infinity) < ASK_AGAIN_MS) return false;
    this.#askedMs.set(issuer, nowMs);
    this.#underWay.add(issuer);
    this.#ask(issuer);
    return true;
  }
}
