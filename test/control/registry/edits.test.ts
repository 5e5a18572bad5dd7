import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { RegistryError } from '#control/registry/errors.ts';
import { draftOf, type UpstreamRecord } from '#core/registry/record.ts';
import { sampleRecord } from '#test/core/registry/sample.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { Cluster } from './cluster.ts';

const RED = { pool: 'default', name: 'red' };
const weighing = (weight: number) => (record: UpstreamRecord) => ({ ...record, weight });
const draft = (changes: Parameters<typeof sampleUpstream>[0]) => draftOf(sampleUpstream(changes));
const { signal } = new AbortController();

async function pair(t: TestContext) {
  const cluster = new Cluster(t);
  const one = await cluster.join('one', [draft({ name: 'red' })]);
  const two = await cluster.join('two', [draft({ name: 'red' })]);
  return { cluster, one, two };
}

describe('a change through one instance', () => {
  it('is served by it when it is done, and by all others', async (t) => {
    const { cluster, one, two } = await pair(t);
    const added = await one.edits.add(sampleRecord({ name: 'blue' }));
    assert.deepEqual(one.names(), ['blue', 'red']);
    assert.equal(one.registry.report.revision, added.revision);
    await one.edits.change(RED, null, weighing(9));
    assert.equal(one.registry.served.upstreams.get('default/red')?.value.weight, 9);
    await one.edits.remove({ pool: 'default', name: 'blue' }, null);
    assert.deepEqual(one.names(), ['red']);
    await cluster.settle();
    assert.deepEqual(two.registry.report, one.registry.report);
  });

  it('writes nothing when it changes nothing', async (t) => {
    const { one } = await pair(t);
    const { revision } = one.registry.report;
    await one.edits.change(RED, null, (record) => ({ ...record }));
    assert.equal(one.registry.report.revision, revision);
  });

  it('is refused for an upstream that is not there', async (t) => {
    const { one } = await pair(t);
    const grey = { pool: 'default', name: 'grey' };
    await assert.rejects(one.edits.change(grey, null, weighing(2)), { code: 'registry_missing' });
    await assert.rejects(one.edits.remove(grey, null), { code: 'registry_missing' });
  });
});

describe('conflicting changes', () => {
  it('end with one that wins and others that see what there is now', async (t) => {
    const { one, two } = await pair(t);
    const revision = one.registry.served.upstreams.get('default/red')?.revision ?? 0;
    const results = await Promise.allSettled([
      one.edits.change(RED, revision, weighing(7)),
      two.edits.change(RED, revision, weighing(8)),
    ]);
    const won = results.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []));
    const lost = results.flatMap((it) => (it.status === 'rejected' ? [it.reason] : []));
    assert.equal(won.length, 1);
    assert.ok(lost[0] instanceof RegistryError);
    assert.equal(lost[0].code, 'registry_conflict');
    assert.deepEqual(lost[0].current, won[0]);
  });

  it('of different fields all happen when no revision is asked for', async (t) => {
    const { cluster, one, two } = await pair(t);
    await Promise.all([
      one.edits.change(RED, null, weighing(7)),
      two.edits.change(RED, null, (record) => ({ ...record, state: 'drain' })),
      one.edits.change(RED, null, (record) => ({ ...record, drainMs: 5 })),
    ]);
    await cluster.settle();
    const { weight, state, drainMs } = one.registry.served.upstreams.get('default/red')?.value ?? {};
    assert.deepEqual([weight, state, drainMs], [7, 'drain', 5]);
  });

  it('refuse a second upstream of a name', async (t) => {
    const { one, two } = await pair(t);
    const results = await Promise.allSettled([
      one.edits.add(sampleRecord({ name: 'blue', port: 1 })),
      two.edits.add(sampleRecord({ name: 'blue', port: 2 })),
    ]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  });
});

describe('applying a file', () => {
  it('makes the registry what the file says, and leaves states as operators set them', async (t) => {
    const { cluster, one, two } = await pair(t);
    await two.edits.change(RED, null, (record) => ({ ...record, state: 'maintenance' }));
    await two.edits.add(sampleRecord({ name: 'grey' }));
    const plan = await one.edits.apply([draft({ name: 'red', weight: 5 }), draft({ name: 'blue' })]);
    const names = [plan.add, plan.change, plan.remove].map((them) => them.map(({ name }) => name));
    assert.deepEqual(names, [['blue'], ['red'], ['grey']]);
    assert.deepEqual(one.names(), ['blue', 'red']);
    await cluster.settle();
    const red = two.registry.served.upstreams.get('default/red')?.value;
    assert.deepEqual([red?.state, red?.weight], ['maintenance', 5]);
  });

  it('changes nothing the second time', async (t) => {
    const { one } = await pair(t);
    await one.edits.apply([draft({ name: 'blue' })]);
    const { revision } = one.registry.report;
    const { add, change, remove } = await one.edits.apply([draft({ name: 'blue' })]);
    assert.deepEqual([add, change, remove, one.registry.report.revision], [[], [], [], revision]);
  });

  it('takes thousands of upstreams', async (t) => {
    const { one } = await pair(t);
    const many = Array.from({ length: 4096 }, (_, index) =>
      draft({ name: `u${index}`, pool: `p${index % 8}` }),
    );
    await one.edits.apply(many);
    assert.equal(one.registry.served.upstreams.size, 4096);
    await assert.rejects(one.edits.add(sampleRecord()), { code: 'registry_full' });
  });

  it('replaces what cannot be read', async (t) => {
    const { cluster, one } = await pair(t);
    const bucket = cluster.bus.bucket('registry', { entryMsMax: null, bytesMax: 1 });
    for (const key of ['upstream.default.red', 'upstream.default.odd']) {
      await bucket.put(key, new TextEncoder().encode('{}'), signal);
    }
    await assert.rejects(one.edits.change(RED, null, weighing(2)), {
      message: /cannot be read; apply a file/,
    });
    await one.edits.apply([draft({ name: 'red', weight: 3 })]);
    assert.equal((await bucket.entries(signal)).length, 2);
    assert.equal(one.registry.served.upstreams.get('default/red')?.value.weight, 3);
  });
});
