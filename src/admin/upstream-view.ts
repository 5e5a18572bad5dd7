import type { NewUpstream } from '#config/build/new-upstream.ts';
import type { RegistryEdits } from '#control/registry/edits.ts';
import type { Registry } from '#control/registry/registry.ts';
import type { HealthView } from '#core/health-view.ts';
import { type EndpointId, idOf, inOrder, type UpstreamRecord } from '#core/registry/record.ts';
import type { Versioned } from '#core/registry/replica.ts';
import type { Table, Upstream } from '#core/table.ts';

/** What the admin API needs to show and change upstreams. */
export type UpstreamsView = {
  readonly registry: Registry;
  readonly edits: RegistryEdits;
  readonly table: () => Table;
  /** Resolves when the table has all changes so far, or after `deadlineMs`. */
  readonly tabled: (deadlineMs: number) => Promise<unknown>;
  readonly inFlight: (slot: number) => number;
  readonly health: HealthView;
  readonly newUpstream: NewUpstream;
};

/**
 * All of the registry: first those that the instance can serve, in the order of its table, those that are given
 * by host name once for each address.
 */
export function listUpstreams(view: UpstreamsView) {
  const { upstreams } = view.registry.served;
  const tabled = tableOf(view);
  const others = inOrder([...upstreams.values()].map(({ value }) => value)).filter(
    (it) => !tabled.has(idOf(it)),
  );
  return [...tabled.keys(), ...others.map(idOf)].flatMap((id) => {
    const entry = upstreams.get(id);
    if (entry === undefined) return [];
    return (tabled.get(id) ?? [undefined]).map((endpoint) => describe(entry, endpoint, view));
  });
}

export function describeUpstream(entry: Versioned<UpstreamRecord>, view: UpstreamsView) {
  return describe(entry, tableOf(view).get(idOf(entry.value))?.[0], view);
}

/** Whether a route of this instance leads to the pool. */
export function isRouted(pool: string, { table }: UpstreamsView): boolean {
  return table().routes.some((route) => route.pool === pool);
}

/** The endpoints that are served of each upstream. */
function tableOf({ table }: UpstreamsView): Map<string, Upstream[]> {
  return Map.groupBy(
    Object.values(table().pools).flatMap((pool) => pool.upstreams),
    idOf,
  );
}

function describe(
  { value: record, revision }: Versioned<UpstreamRecord>,
  upstream: Upstream | undefined,
  { health, inFlight }: UpstreamsView,
) {
  const { pool, name, port, weight, state, drainMs, tls, protocol, inFlightMax } = record;
  const { address, hostName }: EndpointId = upstream ?? record;
  const { verdict, opinions } = upstream === undefined ? UNKNOWN : health.of(upstream);
  return {
    pool,
    name,
    address,
    ...(hostName === undefined ? {} : { host_name: hostName }),
    port,
    weight,
    state,
    verdict,
    opinions: opinions.map(({ ageMs, ...same }) => ({ ...same, age_ms: Math.round(ageMs) })),
    in_flight_max: inFlightMax,
    in_flight: upstream === undefined ? 0 : inFlight(upstream.slot),
    tls: tls !== null,
    protocol,
    drain_deadline_ms: drainMs,
    revision,
  };
}

const UNKNOWN = { verdict: 'unknown', opinions: [] } as const;
