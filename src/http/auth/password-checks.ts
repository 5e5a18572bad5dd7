import { hash as digest } from 'node:crypto';
import { Turns } from '#core/turns.ts';
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
  readonly #turns = new Turns(PASSWORD_CHECKS_MAX, PASSWORD_CHECKS_WAITING_MAX);

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

    const answer = this.#turns.take(() => this.#answer(question, hash, password));
    if (answer === null) return 'overloaded';
    this.#underWay.set(question, answer);
    return answer;
  }

  async #answer(question: string, hash: string, password: string): Promise<boolean> {
    try {
      const isRight = await this.#verify(hash, password);
      (isRight ? this.#right : this.#wrong).add(question);
      return isRight;
    } finally {
      this.#underWay.delete(question);
    }
  }
}
