import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REJECTED_MAX } from '#control/registry/codec.ts';
import { keyOf, SEED_KEY } from '#control/registry/forms.ts';
import { draftOf, type UpstreamDraft } from '#core/registry/record.ts';
import { sampleRecord } from '#test/core/registry/sample.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { Cluster } from './cluster.ts';

const drafts = (...names: string[]): UpstreamDraft[] =>
  names.map((name) => draftOf(sampleUpstream({ name })));
const { signal } = new AbortController();
const BUCKET = { entryMsMax: null, bytesMax: 16 * 1024 * 1024 };
const bytes = (text: string) => new TextEncoder().encode(text);

describe('an empty registry', () => {
  it('is filled from the configuration of one instance, and the others take it', async (t) => {
    const cluster = new Cluster(t);
    const members = await Promise.all([
      cluster.join('one', drafts('red')),
      cluster.join('two', drafts('blue', 'green')),
      cluster.join('three', drafts('amber')),
    ]);
    const served = new Set(members.map(({ names }) => names().join()));
    assert.equal(served.size, 1);
    assert.ok(['red', 'blue,green', 'amber'].includes([...served].join()));
    assert.equal(new Set(members.map(({ registry }) => registry.report.checksum)).size, 1);
    assert.equal(new Set(members.map(({ registry }) => registry.report.revision)).size, 1);
  });

  it('stays empty when it was emptied on purpose', async (t) => {
    const cluster = new Cluster(t);
    const one = await cluster.join('one', drafts('red'));
    await one.edits.remove({ pool: 'default', name: 'red' }, null);
    const two = await cluster.join('two', drafts('red'));
    assert.deepEqual([one.names(), two.names()], [[], []]);
  });

  it('is filled by another instance when the one that began says no more', async (t) => {
    const cluster = new Cluster(t);
    const bucket = cluster.bus.bucket('registry', BUCKET);
    const seed = '{"v":1,"from":"gone","seq":1,"body":{"generation":1,"revision":0,"phase":"filling"}}';
    await bucket.create(SEED_KEY, bytes(seed), signal);
    const joining = cluster.join('one', drafts('red', 'blue'));
    await cluster.settle();
    cluster.clock.advance(2_000);
    const one = await joining;
    assert.match(one.lines.join(), /not reachable; until it is, the upstreams of one.yaml/);
    assert.deepEqual([one.names(), one.registry.isOpen], [['blue', 'red'], false]);
    await assert.rejects(one.edits.add(sampleRecord({ name: 'green' })), { code: 'registry_unavailable' });
    cluster.clock.advance(10_000);
    await cluster.settle();
    assert.deepEqual([one.names(), one.registry.isOpen], [['blue', 'red'], true]);
    assert.equal((await bucket.entries(signal)).length, 3);
  });
});

describe('a registry that is there', () => {
  it('is served whatever the file says, with a warning that names the way out', async (t) => {
    const cluster = new Cluster(t);
    await cluster.join('one', drafts('red'));
    const two = await cluster.join('two', drafts('blue'));
    assert.deepEqual(two.names(), ['red']);
    const [warning = ''] = two.lines.filter((line) => line.includes('other upstreams'));
    assert.match(warning, /signalbox apply --config two.yaml/);
    assert.match(warning, /"only_in_file":\["default\/blue"\].*"only_in_registry":\["default\/red"\]/);
  });

  it('gives no reason for a warning by what operators said of states', async (t) => {
    const cluster = new Cluster(t);
    const one = await cluster.join('one', drafts('red'));
    const red = { pool: 'default', name: 'red' };
    await one.edits.change(red, null, (record) => ({ ...record, state: 'drain' }));
    const two = await cluster.join('two', drafts('red'));
    assert.doesNotMatch(two.lines.join(), /other upstreams/);
    assert.equal(two.registry.served.upstreams.get('default/red')?.value.state, 'drain');
  });

  it('is read again every minute', async (t) => {
    const cluster = new Cluster(t);
    const one = await cluster.join('one', drafts('red'));
    let changes = 0;
    one.registry.onChange = () => changes++;
    await cluster.clock.advanceAsync(60_000);
    await cluster.settle();
    assert.equal(changes, 1);
    assert.equal(one.registry.report.watchAgeMs, 0);
  });
});

describe('a value that cannot be read', () => {
  for (const [what, key, value] of [
    ['is no JSON', keyOf(sampleRecord()), '{'],
    ['has another version', keyOf(sampleRecord()), '{"v":2}'],
    ['has a weight of 0', keyOf(sampleRecord()), bodyWith({ weight: 0 })],
    ['has no host for an address', keyOf(sampleRecord()), bodyWith({ address: 'a b' })],
    ['says more than is known', keyOf(sampleRecord()), bodyWith({ colour: 'red' })],
    ['stands under the key of another upstream', keyOf(sampleRecord()), bodyWith({ name: 'blue' })],
    ['stands under a key of nothing', 'nonsense', bodyWith({})],
    ['is no seed', SEED_KEY, bodyWith({})],
  ] as const) {
    it(`changes nothing when it ${what}, is counted, and logged once`, async (t) => {
      const cluster = new Cluster(t);
      const one = await cluster.join('one', drafts('red'));
      const before = one.registry.report;
      await cluster.bus.bucket('registry', BUCKET).put(key, bytes(value), signal);
      await cluster.settle();
      await cluster.clock.advanceAsync(60_000);
      await cluster.settle();
      assert.equal(one.registry.report.checksum, before.checksum);
      assert.equal(one.registry.report.revision, before.revision + 1);
      assert.equal(one.registry.rejects, 1);
      assert.equal(one.lines.filter((line) => line.includes('cannot be read')).length, 1);
    });
  }
});

describe('values that cannot be read', () => {
  // More than could be remembered were once all logged and counted again, each minute.
  it('are told of once, and no more of them than can be remembered', async (t) => {
    const cluster = new Cluster(t);
    const one = await cluster.join('one', drafts('red'));
    const bucket = cluster.bus.bucket('registry', BUCKET);
    for (let nth = 0; nth < REJECTED_MAX + 100; nth++) await bucket.put(`junk${nth}`, bytes('{'), signal);
    for (let minute = 0; minute < 3; minute++) {
      await cluster.clock.advanceAsync(60_000);
      await cluster.settle();
    }
    assert.equal(one.registry.rejects, REJECTED_MAX);
    assert.equal(one.lines.filter((line) => line.includes('a value cannot be read')).length, REJECTED_MAX);
    assert.equal(one.lines.filter((line) => line.includes('not told of')).length, 1);
  });
});

function bodyWith(changes: object): string {
  const body = {
    ...{ pool: 'default', name: 'red', address: '127.0.0.1', port: 3000, weight: 1 },
    ...{ state: 'ready', drain_ms: null, tls: null, host_header: 'client' },
    ...changes,
  };
  return JSON.stringify({ v: 1, from: 'somebody', seq: 1, body });
}
