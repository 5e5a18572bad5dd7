import type { Upstream } from '#core/table.ts';
import type { Candidates, PickRequest } from './strategy.ts';

/** Whether the upstream is among those that were tried. A scan: a request tries a few at most. */
export function isTried(tried: readonly Upstream[], upstream: Upstream): boolean {
  for (const { slot } of tried) if (slot === upstream.slot) return true;
  return false;
}

/** The candidates left to try. Copies them, so it is for failovers only; otherwise it costs nothing. */
export function untried(candidates: Candidates, { tried }: PickRequest): readonly Upstream[] {
  if (tried.length === 0) return candidates.upstreams;
  return candidates.upstreams.filter((upstream) => !isTried(tried, upstream));
}
