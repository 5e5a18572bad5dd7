import type { Clock } from '#core/clock.ts';
import type { HealthView } from '#core/health-view.ts';
import type { UpstreamCells } from '#shared/upstream-cells.ts';

/** Without health checks: an upstream is down while this instance avoids it, and else nothing is known. */
export function avoidanceHealth(cells: UpstreamCells, instance: string, clock: Clock): HealthView {
  return {
    of({ slot }) {
      if (!cells.admission.isAvoided(slot, clock.monotonicMs())) return { verdict: 'unknown', opinions: [] };
      const opinion = { instance, verdict: 'down', reason: 'connection failed', ageMs: 0 } as const;
      return { verdict: 'down', opinions: [opinion] };
    },
  };
}
