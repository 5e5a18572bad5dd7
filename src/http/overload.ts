import type { Random } from '#core/random.ts';

/** Why a request was turned away before anything was done for it. */
export type ShedReason = 'lag';

export type OverloadSigns = {
  /** How far the thread is behind with what it has to do, milliseconds. */
  lagMs(nowMs: number): number;
};

/**
 * Whether a worker takes new work on. Behind by more than `lagMax`, it turns some away, by chance, and all of it when
 * it is behind by twice as much: as with the scaled triggers of Envoy's overload manager. To refuse costs a small part
 * of what it costs to serve, so that what is under way is served in time.
 */
export class Overload {
  readonly #signs: OverloadSigns;
  readonly #lagMsMax: number;
  readonly #random: Random;

  /** `lagMsMax` 0: however far it is behind. */
  constructor(signs: OverloadSigns, lagMsMax: number, random: Random) {
    this.#signs = signs;
    this.#lagMsMax = lagMsMax;
    this.#random = random;
  }

  /** Why a request that comes now is turned away; null if it is not. */
  shed(nowMs: number): ShedReason | null {
    return this.#isLate(nowMs) ? 'lag' : null;
  }

  #isLate(nowMs: number): boolean {
    if (this.#lagMsMax === 0) return false;
    const excess = this.#signs.lagMs(nowMs) / this.#lagMsMax - 1;
    return excess > 0 && this.#random.float() < excess;
  }
}
