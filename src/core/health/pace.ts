import type { Pace, Thresholds } from './check.ts';
import type { Tally } from './tally.ts';

/** Probes of an upstream that is turning are this much closer. */
const HASTE = 1 / 2;
/** Intervals between probes of one that is down, at most. */
const BACKOFF_MAX = 2;

/**
 * How long to wait after a probe that took `tookMs`. Steady upstreams are probed once an interval, those that
 * are turning twice as often. The time that this saves is what probes of dead ones may be apart, so that an
 * upstream that is back has passed `healthy` probes within as many intervals, whenever it came back: with one
 * needed there is no back-off, with two 1.5 intervals, with three or more 2.
 *
 * `phase`, 0…1, is where in the jitter this check is: always at the same place, and each at another.
 */
export function waitMs(
  { standing, against }: Tally,
  { intervalMs, jitter }: Pace,
  { healthy }: Thresholds,
  phase: number,
  tookMs: number,
): number {
  const periodMs = intervalMs * factor(standing, against, healthy) * (1 - jitter * phase);
  return Math.max(0, periodMs - tookMs);
}

function factor(standing: Tally['standing'], against: number, healthy: number): number {
  if (against > 0) return HASTE;
  return standing === 'down' ? Math.min(BACKOFF_MAX, 1 + (healthy - 1) * HASTE) : 1;
}
