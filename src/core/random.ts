/**
 * Chance as a dependency. Balancing and jitter draw from a `Random`, so that a failing run can be
 * replayed from its seed. Secrets and ids never come from here: see `ids.ts`.
 */

export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
}

export const systemRandom: Random = { float: () => Math.random() };

/** Uniform integer in [0, bound). `bound` is a positive integer up to 2^32. */
export function integerBelow(random: Random, bound: number): number {
  return Math.floor(random.float() * bound);
}

/** A repeatable generator (Mulberry32): equal seeds give equal sequences. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    float() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}
