import type { Refusal } from '#core/refusals.ts';
import type { Log } from '#telemetry/log.ts';
import type { FamiliarAddresses } from './familiar-addresses.ts';
import type { Caller } from './parts.ts';
import type { AttemptThrottle } from './throttle.ts';

/** Attempts under way, a few more than hashes: beyond, not even the database is asked. */
const ATTEMPTS_MAX = 24;

/** What an attempt is counted by, besides the address that it comes from. */
export type Target = {
  readonly action: 'login' | 'register';
  readonly email: string;
};

/** What to do about the counters once it is known what became of an attempt. */
export type Counted = {
  /** It was right: it never happened, nor did those before it that failed. The address is familiar now. */
  forgive(): Promise<void>;
  /** The same, but for the address it did happen. */
  forgiveEmail(): Promise<void>;
};

/** There was no room to hash a password. Nothing was looked at, so it is not held against anyone. */
export const OVERLOADED: Refusal = { cause: 'overloaded' };

/** Lets few try passwords at once, and nobody too often, before anything is looked at. */
export class Attempts {
  readonly #throttle: AttemptThrottle;
  readonly #familiar: FamiliarAddresses;
  readonly #log: Log;
  #underWay = 0;

  constructor(throttle: AttemptThrottle, familiar: FamiliarAddresses, log: Log) {
    this.#throttle = throttle;
    this.#familiar = familiar;
    this.#log = log;
  }

  /** What `work` results in, or why it was not begun. Rejects as `work` and the store do. */
  async make<Result>(
    target: Target,
    caller: Caller,
    work: (counted: Counted) => Promise<Result | Refusal>,
  ): Promise<Result | Refusal> {
    if (this.#underWay >= ATTEMPTS_MAX) return OVERLOADED;
    this.#underWay++;
    try {
      return await this.#count(target, caller, work);
    } finally {
      this.#underWay--;
    }
  }

  async #count<Result>(
    { action, email }: Target,
    { address, requestId }: Caller,
    work: (counted: Counted) => Promise<Result | Refusal>,
  ): Promise<Result | Refusal> {
    const isFamiliar = action === 'login' && (await this.#familiar.has(email, address));
    const byEmail = this.#throttle.byEmail(action, email, isFamiliar ? address : null);
    const admission = await this.#throttle.admit([this.#throttle.byAddress(action, address), byEmail]);
    if (!admission.isAdmitted) {
      this.#log.debug({ ip: address, request_id: requestId }, 'attempt refused: too many');
      return { cause: 'login_throttled', retryAfterSeconds: admission.retryAfterSeconds };
    }
    const forgiveEmail = async () => {
      await this.#throttle.reset(byEmail);
      await this.#familiar.add(email, address);
    };
    const result = await work({
      forgiveEmail,
      async forgive() {
        await admission.undo();
        await forgiveEmail();
      },
    });
    if (result === OVERLOADED) await admission.undo();
    return result;
  }
}
