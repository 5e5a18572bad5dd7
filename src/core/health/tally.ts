import type { Thresholds } from './check.ts';

/** What an upstream's probes so far amount to. */
export type Tally = {
  readonly standing: 'unknown' | 'up' | 'down';
  /** Outcomes in a row that speak against the standing. */
  readonly against: number;
  /** Of the last probe, if it failed; else empty. */
  readonly reason: string;
};

export type Outcome =
  | { readonly passed: true }
  /** `reason` in a few words. */
  | { readonly passed: false; readonly reason: string };

export const NEW_TALLY: Tally = { standing: 'unknown', against: 0, reason: '' };

/** The first outcome decides; then it takes as many in a row as the thresholds say to turn the standing. */
export function count({ standing, against }: Tally, outcome: Outcome, thresholds: Thresholds): Tally {
  const says = outcome.passed ? 'up' : 'down';
  const reason = outcome.passed ? '' : outcome.reason;
  if (says === standing) return { standing, against: 0, reason };
  const isTurned = against + 1 >= needed(standing, thresholds);
  return isTurned ? { standing: says, against: 0, reason } : { standing, against: against + 1, reason };
}

function needed(standing: Tally['standing'], { healthy, unhealthy }: Thresholds): number {
  switch (standing) {
    case 'unknown':
      return 1;
    case 'up':
      return unhealthy;
    case 'down':
      return healthy;
  }
}
