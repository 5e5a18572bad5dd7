import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildTable } from '#core/registry/table.ts';
import { samplePool, sampleTable, sampleUpstream } from '#test/support/sample-table.ts';
import { sampleRecord } from './sample.ts';

const CONFIGURED = sampleTable({
  pools: {
    default: samplePool({
      strategy: { kind: 'random' },
      upstreams: [sampleUpstream({ name: 'red' }), sampleUpstream({ name: 'blue', slot: 1 })],
      drainMs: 5000,
    }),
    api: samplePool({ name: 'api', slot: 1 }),
  },
});

describe('a table made of the registry', () => {
  it('has its upstreams in the order of the configuration, then by name', () => {
    const records = ['zinc', 'amber', 'blue', 'red'].map((name) => sampleRecord({ name }));
    const table = buildTable({ configured: CONFIGURED, records, revision: 7, slotOf: () => 3 });
    assert.deepEqual(
      table.pools['default']?.upstreams.map(({ name }) => name),
      ['red', 'blue', 'amber', 'zinc'],
    );
    assert.deepEqual([table.revision, table.pools['default']?.strategy.kind], [7, 'random']);
  });

  it('has pools without upstreams, and none that no route leads to', () => {
    const records = [sampleRecord({ pool: 'other' })];
    const { pools } = buildTable({ configured: CONFIGURED, records, revision: 2, slotOf: () => 3 });
    assert.deepEqual(Object.keys(pools), ['default', 'api']);
    assert.deepEqual(pools['api']?.upstreams, []);
  });

  it('says of each upstream how long it may drain', () => {
    const records = [sampleRecord(), sampleRecord({ name: 'blue', state: 'drain', drainMs: 10 })];
    const { pools } = buildTable({ configured: CONFIGURED, records, revision: 2, slotOf: () => 3 });
    assert.deepEqual(
      pools['default']?.upstreams.map(({ state, drainMs }) => [state, drainMs]),
      [
        ['ready', 5000],
        ['drain', 10],
      ],
    );
  });

  it('leaves out whom there is no slot for', () => {
    const records = [sampleRecord(), sampleRecord({ name: 'blue' })];
    const slotOf = ({ name }: { name: string }) => (name === 'red' ? null : 8);
    const { pools } = buildTable({ configured: CONFIGURED, records, revision: 2, slotOf });
    assert.deepEqual(
      pools['default']?.upstreams.map(({ slot }) => slot),
      [8],
    );
  });
});
