import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Exchange } from '#actors/request/exchange.ts';
import { seededRandom } from '#core/random.ts';
import type { Pool, StrategyChoice, Upstream } from '#core/table.ts';
import { Claims } from '#http/in-flight/claims.ts';
import { Selector } from '#http/selector.ts';
import { UpstreamCells } from '#shared/upstream-cells.ts';
import { samplePool, sampleRoute, sampleTable, sampleUpstream } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const UPSTREAMS = ['red', 'blue', 'green'].map((name, slot) => sampleUpstream({ name, slot }));

function scene() {
  const cells = UpstreamCells.create(1);
  const clock = new VirtualClock();
  const claims = new Claims(cells);
  const selector = new Selector(cells, claims, 64, clock, seededRandom(1));
  const exchange = (pool: Pool, path = '/') =>
    ({
      table: sampleTable({ pools: { default: pool } }),
      route: sampleRoute(),
      request: { path, headers: [], clientAddress: '127.0.0.1' },
    }) as unknown as Exchange;
  return {
    cells,
    clock,
    pick: (pool: Pool, path?: string, tried: readonly Upstream[] = []) => {
      const picked = selector.pick(exchange(pool, path), null, tried);
      return picked === 'full' ? picked : picked?.name;
    },
    hasUntried: (pool: Pool, tried: readonly Upstream[]) => selector.hasUntried(exchange(pool), tried),
  };
}

function poolOf(strategy: StrategyChoice, upstreams = UPSTREAMS): Pool {
  return samplePool({ strategy, upstreams });
}

describe('the choice of an upstream', () => {
  it('goes by the key of the request where the pool hashes', () => {
    const { pick } = scene();
    const pool = poolOf({ kind: 'consistent_hash', key: { kind: 'path' } });
    const paths = Array.from({ length: 50 }, (_, index) => `/${index}`);
    const first = paths.map((path) => pick(pool, path));
    assert.deepEqual(
      first,
      paths.map((path) => pick(pool, path)),
    );
    assert.equal(new Set(first).size, 3);
  });

  it('says whether there is another one that was not tried', () => {
    const { hasUntried, cells, clock } = scene();
    const pool = poolOf({ kind: 'random' });
    assert.ok(hasUntried(pool, UPSTREAMS.slice(0, 2)));
    assert.ok(!hasUntried(pool, UPSTREAMS));
    cells.admission.reportUnreachable(2, clock.monotonicMs());
    assert.ok(!hasUntried(pool, UPSTREAMS.slice(0, 2)));
  });

  it('keeps its turn when another table comes', () => {
    const { pick } = scene();
    const names = [pick(poolOf({ kind: 'round_robin' })), pick(poolOf({ kind: 'round_robin' }))];
    names.push(pick(structuredClone(poolOf({ kind: 'round_robin' }))));
    assert.deepEqual(names, ['red', 'blue', 'green']);
  });

  it('keeps what it has measured when another table comes', () => {
    const { pick, cells, clock } = scene();
    cells.observeLatency(0, 100, clock.monotonicMs());
    cells.observeLatency(1, 1, clock.monotonicMs());
    const picks = Array.from({ length: 20 }, () => pick(poolOf({ kind: 'p2c_ewma' }, UPSTREAMS.slice(0, 2))));
    assert.deepEqual(new Set(picks), new Set(['blue']));
  });

  it('goes by another strategy when the table has another', () => {
    const { pick } = scene();
    pick(poolOf({ kind: 'round_robin' }));
    const pool = poolOf({ kind: 'consistent_hash', key: { kind: 'path' } });
    assert.equal(new Set(Array.from({ length: 10 }, () => pick(pool))).size, 1);
  });

  it('claims places until every upstream has as many requests as it may', () => {
    const { pick, cells } = scene();
    const inFlight = { max: 2, queue: { lengthMax: 1, timeoutMs: 1 } };
    const pool = samplePool({ strategy: { kind: 'random' }, upstreams: UPSTREAMS, inFlight });
    const picks = Array.from({ length: 6 }, () => pick(pool));
    assert.deepEqual(picks.toSorted(), ['blue', 'blue', 'green', 'green', 'red', 'red']);
    assert.equal(pick(pool), 'full');
    cells.end(1);
    assert.equal(pick(pool), 'blue');
    assert.equal(pick({ ...pool, upstreams: [] }), undefined);
  });

  it('claims no more places than an upstream has by its own bound', () => {
    const { pick } = scene();
    const inFlight = { max: 2, queue: { lengthMax: 1, timeoutMs: 1 } };
    const upstreams = UPSTREAMS.map((upstream, nth) => ({ ...upstream, inFlightMax: nth === 0 ? 1 : null }));
    const pool = samplePool({ strategy: { kind: 'random' }, upstreams, inFlight });
    const picks = Array.from({ length: 6 }, () => pick(pool));
    assert.deepEqual(picks.toSorted(), ['blue', 'blue', 'full', 'green', 'green', 'red']);
  });

  it('goes on to the next one of the ring where the first is full', () => {
    const { pick } = scene();
    const inFlight = { max: 1, queue: { lengthMax: 1, timeoutMs: 1 } };
    const pool = { ...poolOf({ kind: 'consistent_hash', key: { kind: 'path' } }), inFlight };
    const picks = Array.from({ length: 4 }, () => pick(pool, '/same'));
    assert.deepEqual(picks.toSorted(), ['blue', 'full', 'green', 'red']);
    assert.equal(picks.at(-1), 'full');
  });

  it('leaves out whom the next table has drained', () => {
    const { pick } = scene();
    const before = poolOf({ kind: 'consistent_hash', key: { kind: 'path' } });
    const [home] = UPSTREAMS.filter(({ name }) => name === pick(before));
    assert.ok(home !== undefined);
    const drained = UPSTREAMS.map((upstream) =>
      upstream === home ? { ...home, state: 'drain' as const } : upstream,
    );
    assert.notEqual(pick(poolOf(before.strategy, drained)), home.name);
  });
});
