import type { Pool, Table } from './table.ts';

/**
 * The table with the slots that its pools have in the table before: what a pool's slot stands for in shared memory,
 * such as whose turn it is, goes on with the pool. New pools get the lowest slots that are free.
 */
export function withKnownPoolSlots(table: Table, known: Table): Table {
  const slots = new Map<string, number>();
  for (const { name } of Object.values(table.pools)) {
    const slot = known.pools[name]?.slot;
    if (slot !== undefined) slots.set(name, slot);
  }
  const taken = new Set(slots.values());
  let next = 0;
  const pools = Object.values(table.pools).map((pool): Pool => {
    const slot = slots.get(pool.name);
    if (slot !== undefined) return { ...pool, slot };
    while (taken.has(next)) next++;
    return { ...pool, slot: next++ };
  });
  return { ...table, pools: Object.fromEntries(pools.map((pool) => [pool.name, pool])) };
}
