import type { Clock } from '#core/clock.ts';
import type { Table, Upstream } from '#core/table.ts';
import type { UpstreamCells } from '#shared/upstream-cells.ts';
import { type AdminRoutes, json, text } from './api.ts';

/** What the admin API looks at. */
export type AdminView = {
  readonly instance: string;
  readonly isReady: () => boolean;
  readonly table: () => Table;
  readonly upstreams: UpstreamCells;
  readonly clock: Clock;
};

export function adminRoutes(view: AdminView): AdminRoutes {
  return new Map([
    ['GET /livez', () => text(200, 'alive')],
    ['GET /readyz', () => (view.isReady() ? text(200, 'ready') : text(503, 'not ready'))],
    ['GET /api/upstreams', () => json(200, upstreamList(view))],
  ]);
}

function upstreamList(view: AdminView) {
  const { revision, pools } = view.table();
  const upstreams = Object.values(pools).flatMap((pool) => pool.upstreams.map((it) => describe(it, view)));
  return { revision, upstreams };
}

/** Until there are health checks, an upstream is down while it is avoided and else of unknown health. */
function describe(upstream: Upstream, { upstreams, clock, instance }: AdminView) {
  const { pool, name, address, port, weight, slot } = upstream;
  const isAvoided = upstreams.admission.isAvoided(slot, clock.monotonicMs());
  const verdict = isAvoided ? 'down' : 'unknown';
  const reason = isAvoided ? 'connection failed' : '';
  return {
    pool,
    name,
    address,
    port,
    weight,
    state: 'ready',
    verdict,
    opinions: isAvoided ? [{ instance, verdict, reason, age_ms: 0 }] : [],
    in_flight: upstreams.inFlight(slot),
  };
}
