import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Discovery } from '#control/discovery/discovery.ts';
import { resolveBy } from '#control/discovery/resolve.ts';
import { TableSource } from '#control/table-source.ts';
import type { Clock } from '#core/clock.ts';
import { draftOf } from '#core/registry/record.ts';
import type { Table } from '#core/table.ts';
import { UpstreamCells } from '#shared/upstream-cells.ts';
import { DnsServer } from '#test/support/dns.ts';
import { keptLog } from '#test/support/log.ts';
import { until } from '#test/support/process.ts';
import { samplePool, sampleTable, sampleUpstream } from '#test/support/sample-table.ts';
import { sampleRecord } from '../core/registry/sample.ts';
import { Cluster } from './registry/cluster.ts';

const RED = sampleUpstream({ name: 'red', slot: 0 });
const BLUE = sampleUpstream({ name: 'blue', slot: 1 });

async function scene(t: TestContext) {
  const cluster = new Cluster(t);
  const configured = sampleTable({ pools: { default: samplePool({ upstreams: [RED, BLUE] }) } });
  const { registry, edits } = await cluster.join('one', [draftOf(RED), draftOf(BLUE)]);
  const { log, lines } = keptLog();
  const cells = UpstreamCells.create(1);
  const dns = await DnsServer.start(t, {});
  const { clock } = cluster;
  const resolve = resolveBy([dns.address]);
  const discovery = new Discovery({ resolve, clock, random: { float: () => 0 }, log });
  t.after(() => discovery[Symbol.dispose]());
  /** How long whatever happens in between has taken, beside what the test advances. */
  const work = { ms: 0 };
  const workingClock: Clock = {
    monotonicMs: () => clock.monotonicMs() + work.ms,
    wallMs: () => clock.wallMs(),
    after: (delayMs, action) => clock.after(delayMs, action),
    wakeAfter: (delayMs, sleeper) => clock.wakeAfter(delayMs, sleeper),
  };
  const options = { configured, registry, discovery, cells, log };
  const source = new TableSource({ ...options, clock: workingClock });
  const tables: Table[] = [];
  source.onTable = (table) => tables.push(table);
  const upstreams = () =>
    source.table.pools['default']?.upstreams.map(({ name, slot }) => `${name} ${slot}`) ?? [];
  return { cluster, cells, edits, source, tables, upstreams, lines, dns, work };
}

describe('the table', () => {
  it('is the configured one while the registry says the same', async (t) => {
    const { cluster, source, tables } = await scene(t);
    cluster.clock.advance(100);
    assert.deepEqual([source.table.revision, tables], [1, []]);
  });

  it('is made once of all that changes within 5 ms', async (t) => {
    const { cluster, edits, tables, upstreams } = await scene(t);
    for (const name of ['green', 'grey', 'amber']) await edits.add(sampleRecord({ name }));
    await edits.remove({ pool: 'default', name: 'red' }, null);
    cluster.clock.advance(4);
    assert.equal(tables.length, 0);
    cluster.clock.advance(1);
    assert.deepEqual(
      tables.map(({ revision }) => revision),
      [2],
    );
    assert.deepEqual(upstreams(), ['blue 1', 'amber 2', 'green 3', 'grey 4']);
  });

  it('is made more seldom when making it takes long', async (t) => {
    const { cluster, edits, source, tables, work } = await scene(t);
    source.onTable = (table) => {
      tables.push(table);
      work.ms += 20;
    };
    await edits.add(sampleRecord({ name: 'green' }));
    cluster.clock.advance(5);
    await edits.add(sampleRecord({ name: 'grey' }));
    cluster.clock.advance(199);
    assert.equal(tables.length, 1);
    cluster.clock.advance(1);
    assert.equal(tables.length, 2);
  });

  it('is made at once when it is needed', async (t) => {
    const { cluster, edits, source, tables } = await scene(t);
    await edits.remove({ pool: 'default', name: 'red' }, null);
    source.refresh();
    assert.equal(source.table.revision, 2);
    cluster.clock.advance(5);
    assert.equal(tables.length, 1);
  });

  it('forgets what was learned of an upstream that has another address now', async (t) => {
    const { cells, edits, source, cluster } = await scene(t);
    const nowMs = cluster.clock.monotonicMs();
    for (const slot of [0, 1]) cells.observeLatency(slot, 50, nowMs);
    await edits.apply([draftOf({ ...RED, port: 3999 }), draftOf({ ...BLUE, weight: 7 })]);
    source.refresh();
    assert.deepEqual([cells.latencyMs(0, nowMs), cells.latencyMs(1, nowMs)], [0, 50]);
  });

  it('leaves out whom there is no place for, and says so in one line', async (t) => {
    const { edits, source, lines } = await scene(t);
    const many = Array.from({ length: 4100 }, (_, index) => sampleUpstream({ name: `upstream${index}` }));
    await edits.apply(many.map(draftOf));
    source.refresh();
    assert.equal(source.table.pools['default']?.upstreams.length, 4096);
    await edits.apply(many.slice(1).map(draftOf));
    source.refresh();
    const said = lines.filter((line) => line.includes('there is room for 4096 upstreams'));
    assert.equal(said.length, 2);
    assert.match(said[0] ?? '', /"upstreams":4,"first":"default\/upstream\d+/);
  });

  it('says of a pool that no route leads to, once', async (t) => {
    const { cluster, edits, lines, upstreams } = await scene(t);
    for (const name of ['a', 'b']) {
      await edits.add(sampleRecord({ pool: 'other', name }));
      cluster.clock.advance(5);
    }
    assert.equal(lines.filter((line) => line.includes('no route of this instance leads')).length, 1);
    assert.deepEqual(upstreams(), ['red 0', 'blue 1']);
  });
});

describe('another configuration', () => {
  it('comes with the registry that fits it, in one table', async (t) => {
    const { cluster, edits, source, tables } = await scene(t);
    const other = samplePool({ name: 'other', upstreams: [] });
    const configured = sampleTable({ pools: { other }, healthBody: '"new"' });
    await source.reconfigure(configured, async () => {
      await edits.apply([draftOf({ ...BLUE, pool: 'other' })]);
      cluster.clock.advance(100);
      assert.deepEqual(tables, [], 'nothing is served by half of it');
    });
    const [table] = tables;
    assert.ok(table !== undefined && tables.length === 1);
    assert.deepEqual([table.revision, table.healthBody, Object.keys(table.pools)], [2, '"new"', ['other']]);
    assert.deepEqual(
      table.pools['other']?.upstreams.map(({ name }) => name),
      ['blue'],
    );
    cluster.clock.advance(100);
    assert.equal(tables.length, 1);
  });

  it('is not served when the registry does not take what it needs', async (t) => {
    const { source, tables } = await scene(t);
    const configured = sampleTable({ healthBody: '"new"' });
    await assert.rejects(
      source.reconfigure(configured, () => Promise.reject(new Error('cut off'))),
      /cut off/,
    );
    source.refresh();
    assert.deepEqual(tables, []);
  });
});

describe('an upstream that is given by host name', () => {
  const HOST = 'api.example.test';
  const API = sampleRecord({ name: 'api', address: HOST, port: 3000 });

  it('is served as it is until the name is resolved, and then at each of its addresses', async (t) => {
    const { cluster, edits, source, dns } = await scene(t);
    const served = () => source.table.pools['default']?.upstreams.filter(({ name }) => name === 'api') ?? [];
    const addresses = () =>
      served()
        .map(({ address }) => address)
        .join();
    await edits.add(API);
    source.refresh();
    assert.equal(addresses(), HOST);

    dns.zone[HOST] = { addresses: ['10.0.0.2', '10.0.0.1'], ttl: 30 };
    const passes = async () => {
      await cluster.clock.advanceAsync(500);
      return addresses() === '10.0.0.1,10.0.0.2';
    };
    await until('it is resolved', passes);
    const [first, second] = served();
    assert.equal(first?.hostName, HOST);
    assert.notEqual(first.slot, second?.slot);

    dns.zone[HOST] = { addresses: ['10.0.0.2', '10.0.0.3'], ttl: 30 };
    await until('it is asked for again', async () => {
      await cluster.clock.advanceAsync(5_000);
      return addresses() === '10.0.0.2,10.0.0.3';
    });
    assert.equal(served()[0]?.slot, second?.slot);
  });
});
