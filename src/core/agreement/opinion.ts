/**
 * What one instance says of one upstream: a last-writer-wins register. Merging is commutative, associative
 * and idempotent (Shapiro et al., "Conflict-free Replicated Data Types", 2011), so instances that have heard
 * the same end up with the same, in whatever order and however often they heard it.
 */
import { compareStamps, type Stamp } from './stamp.ts';

export type Verdict = 'up' | 'down' | 'unknown';

export type Opinion = {
  readonly verdict: Verdict;
  /** Why it is down, in a few words; else empty. */
  readonly reason: string;
};

export type StampedOpinion = Opinion & { readonly stamp: Stamp };

export const NO_OPINION: Opinion = { verdict: 'unknown', reason: '' };

/** The later of the two. */
export function mergeOpinions(a: StampedOpinion, b: StampedOpinion): StampedOpinion {
  const order = compareStamps(a.stamp, b.stamp) || compareTexts(a, b);
  return order >= 0 ? a : b;
}

/** No honest instance says two things in one message; whoever heard both must still choose the same. */
function compareTexts(a: Opinion, b: Opinion): number {
  const [first, second] = [a, b].map(({ verdict, reason }) => `${verdict} ${reason}`) as [string, string];
  return first === second ? 0 : first > second ? 1 : -1;
}
