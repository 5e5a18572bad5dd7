import type { Random } from '#core/random.ts';
import type { HeldBytes } from '#shared/held-bytes.ts';

/** Why a request was turned away before anything was done for it. */
export type ShedReason = 'lag' | 'memory';

/** How much the share that is turned away grows at most from one probe of the thread to the next … */
export const SHARE_UP = 0.2;
/** … and how much it shrinks. A thread that is in time is probed far more often than one that is late. */
export const SHARE_DOWN = 0.04;

/**
 * Whether a worker takes new work on. It takes none while the instance holds as many bytes as it may. While the worker
 * is late by more than `lagMsMax`, it turns a share away, which grows with how late it is and shrinks when it is in
 * time: to refuse costs a small part of what it costs to serve, so that what is under way is served in time. Within
 * one turn of the event loop that takes far too long, nothing is probed: there it turns more and more away, from
 * `lagMsMax` to twice as much, as with the scaled triggers of Envoy's overload manager.
 *
 * Being late once is no sign: a single pause, however long, leaves no work that could not be done.
 */
export class Overload {
  readonly #lagMsMax: number;
  readonly #held: Pick<HeldBytes, 'isFull'>;
  readonly #random: Random;
  #share = 0;
  #lastLateMs = 0;
  #nextDueMs = Infinity;

  /** `lagMsMax` 0: however late it is. */
  constructor(lagMsMax: number, held: Pick<HeldBytes, 'isFull'>, random: Random) {
    this.#held = held;
    this.#lagMsMax = lagMsMax === 0 ? Infinity : lagMsMax;
    this.#random = random;
  }

  /** The thread was probed: how late it was, and when it will be again. */
  readonly probed = (lateMs: number, nextDueMs: number): void => {
    const excess = Math.min(1, this.#excess(Math.min(lateMs, this.#lastLateMs)));
    const change = excess * (excess > 0 ? SHARE_UP : SHARE_DOWN);
    this.#share = Math.min(1, Math.max(0, this.#share + change));
    this.#lastLateMs = lateMs;
    this.#nextDueMs = nextDueMs;
  };

  /** Why a request that comes now is turned away; null if it is not. */
  shed(nowMs: number): ShedReason | null {
    const mayBeLate = this.#share > 0 || nowMs > this.#nextDueMs;
    if (mayBeLate && this.#random.float() < this.#shareAt(nowMs)) return 'lag';
    return this.#held.isFull ? 'memory' : null;
  }

  #shareAt(nowMs: number): number {
    const lateMs = Math.min(nowMs - this.#nextDueMs, this.#lastLateMs);
    return Math.max(this.#share, this.#excess(lateMs));
  }

  /** -1: not late at all; 0: as late as it may be; 1: twice as late. */
  #excess(lateMs: number): number {
    return this.#lagMsMax === Infinity ? -1 : lateMs / this.#lagMsMax - 1;
  }
}
