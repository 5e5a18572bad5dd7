import type { Verdict } from './opinion.ts';

/**
 * What the cluster concludes: the majority. Who has no opinion has no vote. With as many votes for as against
 * it is up, since those who cannot reach it avoid it anyway; without any it is unknown.
 */
export function verdictOf(votes: Iterable<Verdict>): Verdict {
  let up = 0;
  let down = 0;
  for (const vote of votes) {
    if (vote === 'up') up++;
    else if (vote === 'down') down++;
  }
  if (up + down === 0) return 'unknown';
  return down > up ? 'down' : 'up';
}

/**
 * Whether an instance sends requests to an upstream. It obeys the cluster, and avoids what it cannot reach
 * itself. While nobody knows, all stays as it was: silence is no reason to begin or to stop.
 */
export function isAdmitted(own: Verdict, cluster: Verdict, wasAdmitted: boolean): boolean {
  if (own === 'down' || cluster === 'down') return false;
  return cluster === 'up' || wasAdmitted;
}
