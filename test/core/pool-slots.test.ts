import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withKnownPoolSlots } from '#core/pool-slots.ts';
import { samplePool, sampleTable } from '#test/support/sample-table.ts';

function tableOf(slots: Readonly<Record<string, number>>) {
  const pools = Object.entries(slots).map(([name, slot]) => [name, samplePool({ name, slot })] as const);
  return sampleTable({ pools: Object.fromEntries(pools) });
}

describe('the slots of pools', () => {
  it('stay with their names, and new pools get the lowest that are free', () => {
    const { pools } = withKnownPoolSlots(
      tableOf({ new: 0, b: 1, other: 2, c: 3 }),
      tableOf({ a: 0, b: 1, c: 2 }),
    );
    assert.deepEqual(
      Object.values(pools).map(({ name, slot }) => [name, slot]),
      [
        ['new', 0],
        ['b', 1],
        ['other', 3],
        ['c', 2],
      ],
    );
  });
});
