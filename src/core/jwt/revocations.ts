/** A session, and when no access token of it holds any more: milliseconds since the Unix epoch. */
export type RevokedSession = readonly [sid: string, untilMs: number];

/** About 30 MB of memory in each worker, and 290 revocations a second for the default token life. */
export const REVOCATIONS_MAX = 262_144;

/**
 * The sessions whose access tokens are refused although they have not expired. Should there be more than it
 * holds, it forgets the oldest and refuses all tokens that were issued up to then instead: clients renew
 * theirs, and no revoked one works again.
 */
export class Revocations {
  readonly #sessionsMax: number;
  /** In the order of their revocation, which is about that of their ends. */
  readonly #untilMs = new Map<string, number>();
  /** Seconds since the Unix epoch; tokens issued before are refused. */
  #issuedFrom = 0;

  constructor(sessionsMax = REVOCATIONS_MAX) {
    this.#sessionsMax = sessionsMax;
  }

  /** Adds what is new, and forgets what has ended. */
  add(sessions: Iterable<RevokedSession>, nowMs: number): void {
    for (const [sid, untilMs] of sessions) {
      const known = this.#untilMs.get(sid) ?? 0;
      if (untilMs > Math.max(known, nowMs)) this.#untilMs.set(sid, untilMs);
    }
    for (const [sid, untilMs] of this.#untilMs) {
      const hasEnded = untilMs <= nowMs;
      if (!hasEnded && this.#untilMs.size <= this.#sessionsMax) return;
      if (!hasEnded) this.#issuedFrom = Math.floor(nowMs / 1000) + 1;
      this.#untilMs.delete(sid);
    }
  }

  /** Whether a token of session `sid` that was issued at `iat`, seconds since the Unix epoch, is refused. */
  has(sid: string, iat: number): boolean {
    return iat < this.#issuedFrom || this.#untilMs.has(sid);
  }

  /** Those that have not ended, for somebody who was not there when they were announced. */
  live(nowMs: number): RevokedSession[] {
    return [...this.#untilMs].filter(([, untilMs]) => untilMs > nowMs);
  }

  get size(): number {
    return this.#untilMs.size;
  }
}
