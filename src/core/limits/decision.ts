/** What a limit says of one request. */
export type Decision = {
  allowed: boolean;
  /** Requests that would be allowed right now, one after the other. */
  remaining: number;
  /** Milliseconds until the whole quota is back if nothing more is asked for. */
  resetMs: number;
  /** Milliseconds until a request may be allowed again; 0 when this one was. */
  retryAfterMs: number;
};

/** A decision for an algorithm to fill in: one object a request is all that limiting it allocates. */
export function emptyDecision(): Decision {
  return { allowed: false, remaining: 0, resetMs: 0, retryAfterMs: 0 };
}
