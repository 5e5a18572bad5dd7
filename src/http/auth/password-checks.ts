import { hash as digest } from 'node:crypto';
import { RecentSet } from './recent-set.ts';

/**
 * Password hashing takes a core for tens of milliseconds, on libuv's threads, which all workers and
 * their name look-ups share: one check at a time a worker.
 */
export const PASSWORD_CHECKS_MAX = 1;
/** Checks that wait for their turn, under a second's worth; beyond, `overloaded`. */
export const PASSWORD_CHECKS_WAITING_MAX = 16;
/** Passwords that were right, and passwords that were wrong, remembered so as not to hash them again. */
export const PASSWORDS_REMEMBERED_MAX = 1024;

/** Whether `password` is the one that `hash`, an argon2 hash in PHC format, was made of. */
export type VerifyPassword = (hash: string, password: string) => Promise<boolean>;

/**
 * Answers whether passwords match their hashes, and bounds what that may cost, whoever asks however
 * often. What was answered once is known by a digest: no password is kept. Wrong passwords are remembered
 * apart from right ones, so that guessing never evicts a user that works.
 */
export class PasswordChecks {
  readonly #verify: VerifyPassword;
  readonly #right = new RecentSet(PASSWORDS_REMEMBERED_MAX);
  readonly #wrong = new RecentSet(PASSWORDS_REMEMBERED_MAX);
  readonly #underWay = new Map<string, Promise<boolean>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(verify: VerifyPassword) {
    this.#verify = verify;
  }

  /** At once when the answer is known. Rejects only if `hash` is none. */
  check(user: string, hash: string, password: string): boolean | Promise<boolean> | 'overloaded' {
    const question = digest('sha256', JSON.stringify([user, hash, password]), 'base64');
    if (this.#right.has(question)) return true;
    if (this.#wrong.has(question)) return false;

    // A browser's first page asks the same question many times at once.
    const underWay = this.#underWay.get(question);
    if (underWay !== undefined) return underWay;
    if (this.#waiting.length >= PASSWORD_CHECKS_WAITING_MAX) return 'overloaded';

    const answer = this.#answer(question, hash, password);
    this.#underWay.set(question, answer);
    return answer;
  }

  async #answer(question: string, hash: string, password: string): Promise<boolean> {
    await this.#turn();
    try {
      const isRight = await this.#verify(hash, password);
      (isRight ? this.#right : this.#wrong).add(question);
      return isRight;
    } finally {
      this.#underWay.delete(question);
      this.#passTurn();
    }
  }

  /** Resolves when a check may run, in the order of asking. */
  async #turn(): Promise<void> {
    if (this.#running < PASSWORD_CHECKS_MAX) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #passTurn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}
