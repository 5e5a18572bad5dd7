import type { Pool, Table, Upstream } from '../table.ts';
import type { EndpointRecord } from './endpoints.ts';
import { idOf, inOrder } from './record.ts';

export type TableParts = {
  /** What the configuration says: routes, and pools with their strategies. */
  readonly configured: Table;
  readonly records: Iterable<EndpointRecord>;
  readonly revision: number;
  /** Null where there is no room for the upstream. */
  readonly slotOf: (upstream: EndpointRecord) => number | null;
};

/**
 * The configuration's routes to the registry's upstreams. Those of a pool come in the order in which the
 * configuration lists them, then by name; those of pools that it does not have are left out, since no route
 * leads to them.
 */
export function buildTable({ configured, records, revision, slotOf }: TableParts): Table {
  const byPool = Map.groupBy(inOrder(records), ({ pool }) => pool);
  const pools = Object.values(configured.pools).map((pool): Pool => {
    const listed = new Map(pool.upstreams.map((upstream, index) => [idOf(upstream), index]));
    const place = (record: EndpointRecord) => listed.get(idOf(record)) ?? listed.size;
    const upstreams = (byPool.get(pool.name) ?? [])
      .toSorted((a, b) => place(a) - place(b))
      .flatMap((record) => {
        const slot = slotOf(record);
        return slot === null ? [] : [upstreamOf(record, pool, slot)];
      });
    return { ...pool, upstreams };
  });
  return { ...configured, revision, pools: Object.fromEntries(pools.map((pool) => [pool.name, pool])) };
}

function upstreamOf(record: EndpointRecord, pool: Pool, slot: number): Upstream {
  return { ...record, drainMs: record.drainMs ?? pool.drainMs, slot };
}
