import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withKnownPools } from '#core/known-pools.ts';
import { samplePool, sampleTable, sampleUpstream } from '#test/support/sample-table.ts';

const api = samplePool({ name: 'api', slot: 1, strategy: { kind: 'random' } });
const known = sampleTable({ pools: { default: samplePool(), api } });

describe('a table that replaces another', () => {
  it('has the pools of that one if they are as they were', () => {
    const table = withKnownPools(structuredClone({ ...known, revision: 2 }), known);
    assert.equal(table.revision, 2);
    assert.equal(table.pools['default'], known.pools['default']);
    assert.equal(table.pools['api'], api);
  });

  it('has its own pools where anything about them is new', () => {
    const upstreams = [sampleUpstream({ state: 'drain' })];
    const changed = { ...known, pools: { default: samplePool({ upstreams }), api } };
    const table = withKnownPools(structuredClone(changed), known);
    assert.equal(table.pools['default']?.upstreams[0]?.state, 'drain');
    assert.equal(table.pools['api'], api);
  });

  it('has no pools but its own', () => {
    const table = withKnownPools(
      sampleTable({ pools: { constructor: samplePool({ name: 'constructor' }) } }),
      known,
    );
    assert.deepEqual(Object.keys(table.pools), ['constructor']);
    assert.deepEqual(table.pools['constructor'], samplePool({ name: 'constructor' }));
  });
});
