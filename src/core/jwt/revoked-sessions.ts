/** A session whose access tokens are refused, and until when: then the last of them has expired. */
export type Revocation = {
  readonly sessionId: string;
  /** Milliseconds since the Unix epoch. */
  readonly untilMs: number;
};

/** What somebody has to know who was not there. */
export type Revoked = {
  readonly sessions: readonly Revocation[];
  /** Tokens that were issued before are refused, whatever their session: seconds since the Unix epoch, or 0. */
  readonly issuedFrom: number;
};

/** About 30 MB of memory in each worker, and 290 revocations a second for the default token life. */
export const REVOCATIONS_MAX = 262_144;

/**
 * The sessions whose access tokens are refused although they have not expired. Should there be more than it
 * holds, it forgets the oldest and refuses all tokens that were issued up to then instead: clients renew
 * theirs, and no revoked one works again.
 */
export class RevokedSessions {
  readonly #sessionsMax: number;
  /** In the order of their revocation, which is about that of their ends. */
  readonly #untilMs = new Map<string, number>();
  #issuedFrom = 0;

  constructor(sessionsMax = REVOCATIONS_MAX) {
    this.#sessionsMax = sessionsMax;
  }

  /** Adds what is new, and forgets what has ended. */
  add({ sessions, issuedFrom }: Revoked, nowMs: number): void {
    this.#issuedFrom = Math.max(this.#issuedFrom, issuedFrom);
    for (const { sessionId, untilMs } of sessions) {
      const known = this.#untilMs.get(sessionId) ?? 0;
      if (untilMs > Math.max(known, nowMs)) this.#untilMs.set(sessionId, untilMs);
    }
    for (const [sessionId, untilMs] of this.#untilMs) {
      const hasEnded = untilMs <= nowMs;
      if (!hasEnded && this.#untilMs.size <= this.#sessionsMax) return;
      if (!hasEnded) this.#issuedFrom = Math.floor(nowMs / 1000) + 1;
      this.#untilMs.delete(sessionId);
    }
  }

  /** Whether a token of a session that was issued at `iat`, seconds since the Unix epoch, is refused. */
  has(sessionId: string, iat: number): boolean {
    return iat < this.#issuedFrom || this.#untilMs.has(sessionId);
  }

  /** Those that it does not hold, and that have not ended. */
  newAmong(sessions: readonly Revocation[], nowMs: number): Revocation[] {
    return sessions.filter(({ sessionId, untilMs }) => untilMs > nowMs && !this.#untilMs.has(sessionId));
  }

  /** All that has not ended. */
  live(nowMs: number): Revoked {
    const sessions: Revocation[] = [];
    for (const [sessionId, untilMs] of this.#untilMs) {
      if (untilMs > nowMs) sessions.push({ sessionId, untilMs });
    }
    return { sessions, issuedFrom: this.#issuedFrom };
  }

  /** See `Revoked`. */
  get issuedFrom(): number {
    return this.#issuedFrom;
  }

  get size(): number {
    return this.#untilMs.size;
  }
}
