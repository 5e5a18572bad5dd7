import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { adminRoutes } from '#admin/routes.ts';
import { UpstreamCells } from '#shared/upstream-cells.ts';
import { samplePool, sampleTable, sampleUpstream } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

function scene() {
  const clock = new VirtualClock();
  const upstreams = UpstreamCells.create(1);
  const state = { isReady: false };
  const red = sampleUpstream({ name: 'red', slot: 4, weight: 2 });
  const blue = sampleUpstream({ name: 'blue', slot: 5, address: '::1', pool: 'other' });
  const pools = {
    default: samplePool({ upstreams: [red] }),
    other: samplePool({ name: 'other', upstreams: [blue] }),
  };
  const table = sampleTable({ revision: 12, pools });
  const routes = adminRoutes({
    instance: 'one',
    isReady: () => state.isReady,
    table: () => table,
    upstreams,
    clock,
  });
  const ask = async (route: string) => {
    const answer = await routes.get(route)?.({ query: new URLSearchParams(), body: Readable.from([]) });
    assert.ok(answer !== undefined, route);
    return answer;
  };
  return { ask, clock, upstreams, state };
}

describe('probes', () => {
  it('say that the process lives, and whether it is ready', async () => {
    const { ask, state } = scene();
    assert.equal((await ask('GET /livez')).status, 200);
    assert.equal((await ask('GET /readyz')).status, 503);
    state.isReady = true;
    assert.equal((await ask('GET /readyz')).status, 200);
  });
});

describe('the list of upstreams', () => {
  it('has every upstream of every pool, with what is known of it now', async () => {
    const { ask, clock, upstreams } = scene();
    upstreams.begin(5);
    upstreams.admission.reportUnreachable(4, clock.monotonicMs());
    const { body, contentType } = await ask('GET /api/upstreams');
    assert.equal(contentType, 'application/json');
    const common = { port: 3000, state: 'ready' };
    assert.deepEqual(JSON.parse(body), {
      revision: 12,
      upstreams: [
        {
          ...common,
          pool: 'default',
          name: 'red',
          address: '127.0.0.1',
          weight: 2,
          verdict: 'down',
          opinions: [{ instance: 'one', verdict: 'down', reason: 'connection failed', age_ms: 0 }],
          in_flight: 0,
        },
        {
          ...common,
          pool: 'other',
          name: 'blue',
          address: '::1',
          weight: 1,
          verdict: 'unknown',
          opinions: [],
          in_flight: 1,
        },
      ],
    });
    clock.advance(100);
    assert.match((await ask('GET /api/upstreams')).body, /"red".*"verdict":"unknown"/);
  });
});
