import argon2 from 'argon2';
import { ARGON2ID } from '#core/auth/argon2id.ts';
import { Turns } from '#core/turns.ts';

const { memoryKib, passes, lanes } = ARGON2ID;
const PARAMETERS = {
  type: argon2.argon2id,
  memoryCost: memoryKib,
  timeCost: passes,
  parallelism: lanes,
} as const;

/** A hash that no password has, with the same parameters: whoever is unknown costs as much as who is known. */
const DECOY = `$argon2id$v=19$m=${memoryKib},p=${lanes},t=${passes}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/**
 * Hashing takes a core for tens of milliseconds, on libuv's four threads: there have to be some left, and
 * cores, for whoever is proxied meanwhile.
 */
const AT_ONCE_MAX = 2;
/** Hashes that wait for their turn, under a second's worth; beyond, there is no room. */
const WAITING_MAX = 16;

/** What hashes passwords; another one only in tests. */
export type Hasher = {
  hash(password: string): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
  /** Whether a hash was made with less than what is asked for today. */
  isOutdated(hash: string): boolean;
};

export const argon2id: Hasher = {
  hash: (password) => argon2.hash(password, PARAMETERS),
  verify: (hash, password) => argon2.verify(hash, password),
  isOutdated: (hash) => argon2.needsRehash(hash, PARAMETERS),
};

/** Hashes and verifies passwords, a bounded number at a time. Both return null when too many wait. */
export class Passwords {
  readonly #hasher: Hasher;
  readonly #turns: Turns;

  /** `cores` of the machine: half of them stay free. */
  constructor(cores: number, hasher: Hasher = argon2id) {
    this.#hasher = hasher;
    this.#turns = new Turns(Math.min(AT_ONCE_MAX, Math.max(1, Math.floor(cores / 2))), WAITING_MAX);
  }

  /** `password` is in its one normal form. */
  hash(password: string): Promise<string> | null {
    return this.#turns.take(() => this.#hasher.hash(password));
  }

  /** Whether the password is that of the hash; never that of null, which takes as long. */
  verify(hash: string | null, password: string): Promise<boolean> | null {
    return this.#turns.take(async () => {
      const isRight = await this.#hasher.verify(hash ?? DECOY, password);
      return isRight && hash !== null;
    });
  }

  isOutdated(hash: string): boolean {
    return this.#hasher.isOutdated(hash);
  }
}
