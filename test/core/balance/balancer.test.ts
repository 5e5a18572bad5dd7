import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Balancer } from '#core/balance/balancer.ts';
import { createStrategy } from '#core/balance/create-strategy.ts';
import { seededRandom } from '#core/random.ts';
import type { Pool, StrategyChoice, Upstream } from '#core/table.ts';
import { loadView, UpstreamCells } from '#shared/upstream-cells.ts';
import { samplePool } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { request, upstreams } from './pool.ts';

const CHOICES: readonly StrategyChoice[] = [
  { kind: 'round_robin' },
  { kind: 'random' },
  { kind: 'least_conn' },
  { kind: 'p2c_ewma' },
  { kind: 'consistent_hash', key: { kind: 'client_ip' } },
];

/** A balancer over real cells, of which a second worker has a view as well. */
class Scene {
  readonly clock = new VirtualClock();
  readonly cells = UpstreamCells.create(2);
  readonly pool: Pool;
  readonly #balancers: readonly Balancer[];

  constructor(strategy: StrategyChoice, changes: Partial<Pool> = {}) {
    this.pool = samplePool({ strategy, upstreams: upstreams(1, 1, 1), ...changes });
    const views = [this.cells, UpstreamCells.attach(this.cells.memory, 1)];
    this.#balancers = views.map((cells) => {
      const load = loadView(cells, this.clock);
      const random = seededRandom(1);
      return new Balancer(this.pool, createStrategy(strategy, load, random), cells.admission, random);
    });
  }

  get nowMs(): number {
    return this.clock.monotonicMs();
  }

  avoid(...names: readonly string[]): void {
    for (const { name, slot } of this.pool.upstreams)
      if (names.includes(name)) this.cells.admission.reportUnreachable(slot, this.nowMs);
  }

  pickUnlessFull(isFull: (upstream: Upstream) => boolean, tried: readonly Upstream[] = []): string {
    const picked = this.#balancers[0]?.pickUnlessFull(request(tried), this.nowMs, isFull);
    return typeof picked === 'object' ? picked.name : (picked ?? 'nobody');
  }

  /** Whom so many requests go to, of various keys, from both workers in turn. */
  picks(count: number, tried: readonly Upstream[] = []): string[] {
    return Array.from({ length: count }, (_, index) => {
      const asking = request(tried, Math.imul(index, 0x9e3779b1));
      return this.#balancers[index % 2]?.pick(asking, this.nowMs)?.name ?? 'nobody';
    });
  }
}

for (const choice of CHOICES) {
  describe(`the upstreams of a pool that is balanced by ${choice.kind}`, () => {
    it('are left out while they are full, and waited for when all are', () => {
      const scene = new Scene(choice);
      const isFull = (names: string) => (upstream: Upstream) => names.includes(upstream.name);
      for (let nth = 0; nth < 30; nth++) assert.equal(scene.pickUnlessFull(isFull('ac')), 'b');
      assert.equal(scene.pickUnlessFull(isFull('abc')), 'full');
      assert.equal(scene.pickUnlessFull(isFull('')) === 'full', false);
    });

    it('are found, though hardly one of many has room', () => {
      const scene = new Scene(choice, { upstreams: upstreams(...Array.from({ length: 100 }, () => 1)) });
      const last = scene.pool.upstreams.at(-1)?.name;
      for (let nth = 0; nth < 5; nth++)
        assert.equal(
          scene.pickUnlessFull(({ name }) => name !== last),
          last,
        );
      assert.equal(
        scene.pickUnlessFull(() => true),
        'full',
      );
    });

    it('are waited for rather than one that is avoided, or tried', () => {
      const scene = new Scene(choice);
      const [a, b] = scene.pool.upstreams;
      assert.ok(a && b);
      scene.avoid('a');
      assert.equal(
        scene.pickUnlessFull(({ name }) => name !== 'a'),
        'full',
      );
      assert.equal(
        scene.pickUnlessFull(({ name }) => name === 'c', [b]),
        'full',
      );
      assert.equal(
        scene.pickUnlessFull(({ name }) => name !== 'b', scene.pool.upstreams),
        'b',
      );
    });

    it('are left alone while they are avoided', () => {
      const scene = new Scene(choice);
      scene.avoid('a');
      assert.deepEqual(new Set(scene.picks(60)), new Set(['b', 'c']));
    });

    it('are tried all the same when all of them are avoided', () => {
      // Every request was refused without a try, for up to ten seconds after they were back.
      const scene = new Scene(choice);
      scene.avoid('a', 'b', 'c');
      assert.deepEqual(new Set(scene.picks(60)), new Set(['a', 'b', 'c']));
    });

    it('are tried although avoided, rather than the same one again', () => {
      const scene = new Scene(choice);
      scene.avoid('a', 'b');
      const [, , c] = scene.pool.upstreams;
      assert.ok(c !== undefined);
      assert.deepEqual(new Set(scene.picks(60, [c])), new Set(['a', 'b']));
    });

    it('get one request that finds out whether they are back, and the rest when it has', () => {
      const scene = new Scene(choice);
      scene.avoid('a');
      scene.clock.advance(100);
      assert.equal(scene.picks(60).filter((name) => name === 'a').length, 1);
      scene.cells.admission.reportReachable(0);
      assert.ok(scene.picks(60).filter((name) => name === 'a').length > 1);
    });

    it('get the next such request later, if the first one failed', () => {
      const scene = new Scene(choice);
      scene.avoid('a');
      scene.clock.advance(100);
      scene.picks(60);
      scene.avoid('a');
      scene.clock.advance(199);
      assert.ok(!scene.picks(60).includes('a'));
      scene.clock.advance(1);
      assert.equal(scene.picks(60).filter((name) => name === 'a').length, 1);
    });

    it('get none from a request that has failed already, if there are others', () => {
      const scene = new Scene(choice);
      scene.avoid('a');
      scene.clock.advance(100);
      const [, b] = scene.pool.upstreams;
      assert.ok(b !== undefined);
      assert.deepEqual(new Set(scene.picks(60, [b])), new Set(['c']));
    });

    it('are tried again when all have been tried', () => {
      const scene = new Scene(choice);
      assert.deepEqual(new Set(scene.picks(60, scene.pool.upstreams)), new Set(['a', 'b', 'c']));
    });

    it('are nobody where there are none', () => {
      assert.deepEqual(new Scene(choice, { upstreams: [] }).picks(1), ['nobody']);
    });
  });
}

describe('an upstream that has recovered', () => {
  const SLOW = { upstreams: upstreams(1, 1), slowStartMs: 1000 };

  for (const choice of CHOICES) {
    it(`takes a growing share of what ${choice.kind} gives it`, () => {
      const scene = new Scene(choice, SLOW);
      const shareOfA = () => scene.picks(2000).filter((name) => name === 'a').length / 2000;
      scene.cells.admission.admit(0, 'down', scene.nowMs);
      scene.cells.admission.admit(0, 'up', scene.nowMs);
      for (const [elapsedMs, part] of [
        [0, 0.1],
        [50, 0.1],
        [500, 0.5],
        [900, 0.9],
        [1000, 1],
      ] as const) {
        scene.clock.advance(scene.cells.admission.recoveredAtMs(0) + elapsedMs - scene.nowMs);
        const share = shareOfA();
        // Between that part of its half and what that part of its weight would get; five standard deviations.
        const [least, most] = [part / 2 - 0.06, part / (part + 1) + 0.06];
        assert.ok(share > least && share < most, `${share} after ${elapsedMs} ms`);
      }
    });
  }

  it('takes all where there is no other, or the others are as new', () => {
    const scene = new Scene({ kind: 'round_robin' }, { ...SLOW, panicThreshold: 0 });
    for (const slot of [0, 1]) scene.cells.admission.admit(slot, 'down', scene.nowMs);
    scene.cells.admission.admit(0, 'up', scene.nowMs);
    assert.deepEqual(new Set(scene.picks(50)), new Set(['a']));
    scene.cells.admission.admit(1, 'up', scene.nowMs);
    const picked = scene.picks(1000).filter((name) => name === 'a').length;
    assert.ok(picked > 400 && picked < 600, `${picked}`);
  });
});

describe('a sole upstream', () => {
  it('is asked by every request, in doubt or avoided', () => {
    const scene = new Scene({ kind: 'round_robin' }, { upstreams: upstreams(1) });
    scene.avoid('a');
    assert.deepEqual(scene.picks(3), ['a', 'a', 'a']);
    scene.clock.advance(100);
    assert.deepEqual(scene.picks(3), ['a', 'a', 'a']);
  });
});
