import type { Upstream } from '#core/table.ts';
import type { Candidates, PickRequest } from './strategy.ts';

/** Whether the request has been at this upstream. A scan: a request has tried a few at most. */
export function isTried(request: PickRequest, upstream: Upstream): boolean {
  for (const tried of request.tried) if (tried.slot === upstream.slot) return true;
  return false;
}

/** The candidates left to try. Copies them, so it is for failovers only; otherwise it costs nothing. */
export function untried(candidates: Candidates, request: PickRequest): readonly Upstream[] {
  if (request.tried.length === 0) return candidates.upstreams;
  return candidates.upstreams.filter((upstream) => !isTried(request, upstream));
}
