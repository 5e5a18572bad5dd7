import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isNothing, planBetween } from '#core/registry/plan.ts';
import { idOf, inOrder, type UpstreamRecord } from '#core/registry/record.ts';
import { anyRecords } from './sample.ts';

describe('a plan', () => {
  it('makes of any registry any other one', () => {
    fc.assert(
      fc.property(anyRecords, anyRecords, (current, wanted) => {
        const { add, change, remove } = planBetween(current, wanted);
        const made = new Map(current.map((record): [string, UpstreamRecord] => [idOf(record), record]));
        for (const record of add) assert.equal(made.has(idOf(record)), false);
        for (const record of change) assert.equal(made.has(idOf(record)), true);
        for (const record of [...add, ...change]) made.set(idOf(record), record);
        for (const upstream of remove) assert.equal(made.delete(idOf(upstream)), true);
        assert.deepEqual(inOrder(made.values()), inOrder(wanted));
      }),
    );
  });

  it('is nothing exactly when both are the same', () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        assert.equal(isNothing(planBetween(records, records.toReversed())), true);
        assert.equal(isNothing(planBetween(records, records.slice(1))), records.length === 0);
      }),
    );
  });
});
