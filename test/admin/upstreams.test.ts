import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as yieldToRequests } from 'node:timers/promises';
import { upstreamsRoutes } from '#admin/upstreams.ts';
import { Discovery } from '#control/discovery/discovery.ts';
import { resolveBySystem } from '#control/discovery/resolve.ts';
import { Health } from '#control/health/health.ts';
import { TableSource } from '#control/table-source.ts';
import { seededRandom } from '#core/random.ts';
import { draftOf } from '#core/registry/record.ts';
import { UpstreamCells } from '#shared/upstream-cells.ts';
import { keptLog } from '#test/support/log.ts';
import { until } from '#test/support/process.ts';
import { samplePool, sampleTable, sampleUpstream } from '#test/support/sample-table.ts';
import { Cluster } from '../control/registry/cluster.ts';
import { type Question, serveAdmin } from './listener.ts';

const RED = sampleUpstream({ name: 'red', weight: 2 });
const CONFIGURED = sampleTable({ pools: { default: samplePool({ upstreams: [RED] }) } });

type Said = { status: number; headers: Record<string, unknown>; body: Record<string, unknown> };

async function scene(t: TestContext) {
  const cluster = new Cluster(t);
  const { registry, edits } = await cluster.join('one', [draftOf(RED)]);
  const cells = UpstreamCells.create(1);
  const { clock } = cluster;
  const { log } = keptLog();
  const random = seededRandom(1);
  const discovery = new Discovery({ resolve: resolveBySystem, clock, random, log });
  const tables = new TableSource({ configured: CONFIGURED, registry, discovery, cells, clock, log });
  const health = new Health({
    bus: cluster.bus,
    instance: 'one',
    version: '0.1.0',
    observers: 1,
    report: () => registry.report,
    cells,
    clock,
    random,
    log,
  });
  t.after(() => health[Symbol.dispose]());
  health.watch(tables.table);
  const inFlight = (slot: number) => cells.inFlight(slot);
  const newUpstream = (pool: string, { name, ...given }: { name?: string | undefined; port: number }) =>
    draftOf(sampleUpstream({ ...given, pool, name: name ?? `127.0.0.1:${given.port}` }));
  const routes = upstreamsRoutes({
    registry,
    edits,
    table: () => tables.table,
    tabled: (deadlineMs) => tables.settled(deadlineMs),
    inFlight,
    health,
    newUpstream,
  });
  const { ask } = await serveAdmin(t, routes);
  const say = async (method: string, path: string, body?: object, more: Question = {}): Promise<Said> => {
    let isAnswered = false;
    const asked = ask(path, { method, ...(body && { body: JSON.stringify(body) }), ...more });
    void asked.finally(() => {
      isAnswered = true;
    });
    for (; !isAnswered; await yieldToRequests()) cluster.clock.advance(1);
    const answer = await asked;
    return { ...answer, body: JSON.parse(answer.body) };
  };
  const list = async () =>
    (await say('GET', '/api/upstreams')).body['upstreams'] as Record<string, unknown>[];
  return { cluster, registry, edits, cells, tables, ask, say, list };
}

const BLUE = { name: 'blue', address: '127.0.0.1', port: 3001 };

describe('the list of upstreams', () => {
  it('has every upstream, with what is known of it now', async (t) => {
    const { cells, cluster, say } = await scene(t);
    cells.begin(0);
    cells.admission.reportUnreachable(0, cluster.clock.monotonicMs());
    const { body } = await say('GET', '/api/upstreams');
    assert.deepEqual(body, {
      revision: 3,
      checksum: body['checksum'],
      upstreams: [
        {
          pool: 'default',
          name: 'red',
          address: '127.0.0.1',
          port: 3000,
          weight: 2,
          state: 'ready',
          verdict: 'down',
          opinions: [{ instance: 'one', verdict: 'down', reason: 'connection failed', age_ms: 0 }],
          in_flight: 1,
          in_flight_max: null,
          tls: false,
          protocol: 'http/1.1',
          drain_deadline_ms: null,
          revision: 2,
        },
      ],
    });
    assert.match(String(body['checksum']), /^[0-9a-f]{16}$/);
  });

  it('has those of pools that no route leads to as well', async (t) => {
    const { say, list } = await scene(t);
    const { status, body } = await say('POST', '/api/upstreams', { ...BLUE, pool: 'other' });
    assert.equal(status, 201);
    assert.deepEqual(body['warnings'], ['no route of this instance leads to the pool other']);
    assert.deepEqual(
      (await list()).map(({ pool, name, verdict }) => [pool, name, verdict]),
      [
        ['default', 'red', 'up'],
        ['other', 'blue', 'unknown'],
      ],
    );
  });
});

describe('an upstream', () => {
  it('is added, changed and removed, each with the revision that says so', async (t) => {
    const { say, list } = await scene(t);
    const added = await say('POST', '/api/upstreams', BLUE);
    assert.deepEqual([added.status, added.body['revision']], [201, 4]);
    assert.deepEqual(
      [added.headers['location'], added.headers['etag']],
      ['/api/upstreams/blue?pool=default', '"4"'],
    );
    const changed = await say('PATCH', '/api/upstreams/blue', {
      weight: 7,
      state: 'drain',
      drain_deadline_ms: 50,
    });
    assert.deepEqual([changed.status, changed.body['revision']], [200, 5]);
    const [, blue] = await list();
    assert.deepEqual([blue?.['weight'], blue?.['state'], blue?.['drain_deadline_ms']], [7, 'drain', 50]);
    const removed = await say('DELETE', '/api/upstreams/blue?pool=default');
    assert.deepEqual([removed.status, removed.body['revision']], [200, 6]);
    assert.equal((await list()).length, 1);
  });

  // Answers once came up to a second before a table of thousands of upstreams was made anew.
  it('is served when the answer says so', async (t) => {
    const { ask, cluster, registry, tables } = await scene(t);
    let isAnswered = false;
    const asked = ask('/api/upstreams', { method: 'POST', body: JSON.stringify(BLUE) }).finally(() => {
      isAnswered = true;
    });
    await until('it is in the registry', () => registry.served.upstreams.has('default/blue'));
    for (let turn = 0; turn < 50; turn++) await yieldToRequests();
    assert.equal(isAnswered, false);
    cluster.clock.advance(5);
    assert.equal((await asked).status, 201);
    assert.deepEqual(
      tables.table.pools['default']?.upstreams.map(({ name }) => name),
      ['red', 'blue'],
    );
  });

  it('is called by its address if nobody gave it a name', async (t) => {
    const { say, list } = await scene(t);
    await say('POST', '/api/upstreams', { address: '127.0.0.1', port: 3001 });
    assert.equal((await say('PATCH', '/api/upstreams/127.0.0.1%3A3001', { weight: 3 })).status, 200);
    assert.deepEqual((await list()).map(({ name }) => name).sort(), ['127.0.0.1:3001', 'red']);
  });

  it('does not inherit the deadline of a drain that is over', async (t) => {
    const { say, list } = await scene(t);
    await say('PATCH', '/api/upstreams/red', { state: 'drain', drain_deadline_ms: 50 });
    await say('PATCH', '/api/upstreams/red', { state: 'ready' });
    await say('PATCH', '/api/upstreams/red', { state: 'drain' });
    assert.equal((await list())[0]?.['drain_deadline_ms'], null);
  });

  it('is not there', async (t) => {
    const { say } = await scene(t);
    for (const path of ['/api/upstreams/blue', '/api/upstreams/red?pool=other']) {
      const { status, headers, body } = await say('PATCH', path, { weight: 2 });
      assert.deepEqual([status, headers['content-type']], [404, 'application/problem+json']);
      assert.match(String(body['detail']), /there is no upstream/);
      assert.equal((await say('DELETE', path)).status, 404);
    }
  });
});

describe('a conflicting change', () => {
  it('is answered with 409 and what there is now', async (t) => {
    const { say } = await scene(t);
    await say('PATCH', '/api/upstreams/red', { weight: 5 }, { headers: { 'If-Match': '"2"' } });
    for (const late of [
      await say('PATCH', '/api/upstreams/red', { weight: 6 }, { headers: { 'If-Match': '"2"' } }),
      await say('PATCH', '/api/upstreams/red', { weight: 6, revision: 2 }),
      await say('DELETE', '/api/upstreams/red?revision=2'),
      await say('POST', '/api/upstreams', { ...BLUE, name: 'red' }),
    ]) {
      assert.deepEqual([late.status, late.body['revision']], [409, 4]);
      const { weight, revision } = late.body['current'] as Record<string, unknown>;
      assert.deepEqual([weight, revision], [5, 4]);
    }
  });

  it('is none for whoever asks for no revision', async (t) => {
    const { say } = await scene(t);
    const headers = { 'If-Match': '*' };
    assert.equal((await say('PATCH', '/api/upstreams/red', { weight: 6 }, { headers })).status, 200);
  });

  it('needs a revision that is one', async (t) => {
    const { say } = await scene(t);
    for (const value of ['"x"', '0', '1, 2']) {
      const { status, body } = await say('DELETE', '/api/upstreams/red', undefined, {
        headers: { 'If-Match': value },
      });
      assert.equal(status, 400);
      assert.match(String(body['detail']), /^If-Match: expected the revision/);
    }
  });
});

describe('a bad change', () => {
  for (const [what, body, detail] of [
    ['a weight of 0', { ...BLUE, weight: 0 }, 'weight: found 0, expected a whole number from 1 to 256'],
    [
      'a weight in quotes',
      { ...BLUE, weight: '1' },
      'weight: found `1`, expected a whole number from 1 to 256; leave out the quotes',
    ],
    ['no port', { name: 'blue', address: '::1' }, 'port: missing; expected a port from 1 to 65535'],
    [
      'an address with a port',
      { ...BLUE, address: 'a:1' },
      'address: found `a:1`, expected an IP address without brackets, or a host name without port',
    ],
    [
      'a name with a slash',
      { ...BLUE, name: 'a/b' },
      'name: found `a/b`, expected a name of at most 256 visible characters without `/`',
    ],
    ['a pool with a space', { ...BLUE, pool: 'a b' }, /^pool: found `a b`, expected a name of at most 64/],
    [
      'a state that is none',
      { ...BLUE, state: 'drian' },
      /^state: found `drian`, expected one of `ready`.*did you mean `drain`\?/,
    ],
    ['a misspelled field', { ...BLUE, wieght: 1 }, 'wieght: unknown field; did you mean `weight`?'],
    [
      'two mistakes',
      { ...BLUE, port: 0, weight: 300 },
      'port: found 0, expected a port from 1 to 65535; weight: found 300, expected a whole number from 1 to 256',
    ],
    ['a list', [], /expected a section/],
  ] as const) {
    it(`is refused for ${what}, and nothing is published`, async (t) => {
      const { say, registry } = await scene(t);
      const { revision } = registry.report;
      const answer = await say('POST', '/api/upstreams', body);
      assert.deepEqual([answer.status, answer.headers['content-type']], [400, 'application/problem+json']);
      if (typeof detail === 'string') assert.equal(answer.body['detail'], detail);
      else assert.match(String(answer.body['detail']), detail);
      assert.equal(registry.report.revision, revision);
    });
  }

  it('is refused when it says nothing, or is no JSON', async (t) => {
    const { say } = await scene(t);
    const empty = await say('PATCH', '/api/upstreams/red', {});
    assert.equal(empty.status, 400);
    assert.match(String(empty.body['detail']), /says nothing to change/);
    const torn = await say('PATCH', '/api/upstreams/red', undefined, { body: '{"weight":' });
    assert.deepEqual([torn.status, torn.body['detail']], [400, 'the body is no JSON']);
  });
});

describe('all upstreams at once', () => {
  const entry = (changes: object = {}) => ({
    ...{ pool: 'default', name: 'red', address: '127.0.0.1', port: 3000, weight: 2, tls: null },
    host_header: 'client',
    ...changes,
  });

  it('become what is said, and states stay', async (t) => {
    const { say, list } = await scene(t);
    await say('POST', '/api/upstreams', BLUE);
    await say('PATCH', '/api/upstreams/red', { state: 'maintenance' });
    const upstreams = [entry({ weight: 9 }), entry({ name: 'green', pool: 'api' })];
    const { status, body } = await say('PUT', '/api/upstreams', { upstreams });
    assert.equal(status, 200);
    const { revision, ...done } = body;
    assert.deepEqual(done, {
      added: ['api/green'],
      changed: ['default/red'],
      removed: ['default/blue'],
      warnings: ['no route of this instance leads to the pool api'],
    });
    assert.equal(revision, 8);
    assert.deepEqual(
      (await list()).map(({ name, state, weight }) => [name, state, weight]),
      [
        ['red', 'maintenance', 9],
        ['green', 'ready', 2],
      ],
    );
  });

  it('are refused as a whole for one mistake', async (t) => {
    const { say, list } = await scene(t);
    const upstreams = [entry({ name: 'green' }), entry({ name: 'green' })];
    const { status, body } = await say('PUT', '/api/upstreams', { upstreams });
    assert.equal(status, 400);
    assert.match(String(body['detail']), /^upstreams\[1\]: there is another default\/green/);
    assert.equal((await list()).length, 1);
  });
});

describe('a registry that cannot be reached', () => {
  it('refuses changes with 503, and says what to do', async (t) => {
    const { cluster, say } = await scene(t);
    Object.assign(cluster.bus, { state: 'isolated' });
    for (const answer of [
      await say('POST', '/api/upstreams', BLUE),
      await say('PATCH', '/api/upstreams/red', { weight: 2 }),
      await say('DELETE', '/api/upstreams/red'),
      await say('PUT', '/api/upstreams', { upstreams: [] }),
    ]) {
      assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '1']);
      assert.match(String(answer.body['error']), /try again, or ask another instance/);
    }
    assert.equal((await say('GET', '/api/upstreams')).status, 200);
  });
});
