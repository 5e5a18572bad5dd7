import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CandidateSet } from '#core/balance/candidates.ts';
import type { Pool } from '#core/table.ts';
import { AVOID_FIRST_MS } from '#shared/admission-cells.ts';
import { UpstreamCells } from '#shared/upstream-cells.ts';
import { samplePool } from '#test/support/sample-table.ts';
import { upstreams } from './pool.ts';

const NOW = 1_000_000;

function scene(changes: Partial<Pool> = {}) {
  const pool = samplePool({ upstreams: upstreams(1, 1, 1), slot: 7, ...changes });
  const view = UpstreamCells.create(1).admission;
  const set = new CandidateSet(pool, view);
  return {
    pool,
    view,
    set,
    names: (afterMs = 0) => set.at(NOW + afterMs).upstreams.map(({ name }) => name),
    avoid: (slot: number, untilMs: number) => view.reportUnreachable(slot, NOW + untilMs - AVOID_FIRST_MS),
  };
}

describe('the candidates of a pool', () => {
  it('are all of it while nothing speaks against it', () => {
    const { set, pool } = scene();
    const { upstreams, members, poolSlot } = set.at(NOW);
    assert.equal(upstreams, pool.upstreams);
    assert.equal(members, pool.upstreams);
    assert.equal(poolSlot, 7);
  });

  it('are put together only after an event or when a time is over', (t) => {
    const { set, view, avoid } = scene();
    avoid(1, 100);
    const first = set.at(NOW + 10);
    const reads = t.mock.method(view, 'avoidedUntilMs');
    for (let elapsed = 11; elapsed < 100; elapsed++) assert.equal(set.at(NOW + elapsed), first);
    assert.equal(reads.mock.callCount(), 0);
    set.at(NOW + 100);
    assert.equal(reads.mock.callCount(), 3);
  });

  it('stay the same object through events of other pools', () => {
    const { set, avoid } = scene();
    const whole = set.at(NOW);
    avoid(99, 100);
    assert.equal(set.at(NOW + 10), whole);
    avoid(0, 100);
    const part = set.at(NOW + 10);
    assert.notEqual(part, whole);
    avoid(98, 100);
    assert.equal(set.at(NOW + 10), part);
  });
});

describe('an upstream that is avoided', () => {
  it('is left out from the event on until its time is over, then in doubt', () => {
    const { set, names, avoid } = scene();
    names();
    avoid(1, 100);
    assert.deepEqual(names(10), ['a', 'c']);
    assert.deepEqual(names(99.9), ['a', 'c']);
    assert.ok(!set.hasNewcomers);
    assert.deepEqual(names(100), ['a', 'b', 'c']);
    assert.ok(set.hasNewcomers);
  });

  it('is back at its own time', () => {
    const { names, avoid } = scene();
    avoid(0, 300);
    avoid(2, 200);
    assert.deepEqual(names(10), ['b']);
    assert.deepEqual(names(200), ['b', 'c']);
    assert.deepEqual(names(300), ['a', 'b', 'c']);
  });

  it('is not left out when all are avoided', () => {
    // There was no candidate then, and every request was refused until the first of them was back.
    const { set, names, avoid } = scene();
    for (const slot of [0, 1, 2]) avoid(slot, 50 + slot);
    assert.equal(set.at(NOW), set.all);
    assert.deepEqual(names(), ['a', 'b', 'c']);
    assert.deepEqual(names(50), ['a']);
  });
});

describe('an upstream that is not admitted', () => {
  it('is left out while it is down', () => {
    const { view, names, set } = scene();
    view.admit(1, 'down', NOW);
    assert.deepEqual(names(), ['a', 'c']);
    assert.equal(set.all.upstreams.length, 2);
    view.admit(1, 'up', NOW);
    assert.deepEqual(names(), ['a', 'b', 'c']);
  });

  it('is not left out when fewer than half of the others are up', () => {
    const { view, names } = scene();
    view.admit(1, 'down', NOW);
    view.admit(2, 'down', NOW);
    assert.deepEqual(names(), ['a', 'b', 'c']);
  });

  it('is left out when just half of them are up', () => {
    const { view, names } = scene({ upstreams: upstreams(1, 1) });
    view.admit(1, 'down', NOW);
    assert.deepEqual(names(), ['a']);
  });

  it('is left out whatever the others are where the pool never panics', () => {
    const { view, names } = scene({ panicThreshold: 0 });
    for (const slot of [0, 1]) view.admit(slot, 'down', NOW);
    assert.deepEqual(names(), ['c']);
    view.admit(2, 'down', NOW);
    assert.deepEqual(names(), []);
  });

  for (const state of ['drain', 'maintenance'] as const) {
    it(`is left out in ${state} even when no other is up, and does not count among them`, () => {
      const { view, names } = scene();
      view.admit(0, state, NOW);
      assert.deepEqual(names(), ['b', 'c']);
      view.admit(1, 'down', NOW);
      assert.deepEqual(names(), ['c']);
      view.admit(2, 'down', NOW);
      assert.deepEqual(names(), ['b', 'c']);
      for (const slot of [1, 2]) view.admit(slot, state, NOW);
      assert.deepEqual(names(), []);
    });

    it(`is left out where the table says ${state}`, () => {
      const { names } = scene({
        upstreams: upstreams(1, 1).map((upstream, slot) => (slot === 0 ? { ...upstream, state } : upstream)),
      });
      assert.deepEqual(names(), ['b']);
    });
  }
});

describe('an upstream that has recovered', () => {
  it('is a newcomer until its slow start is over', () => {
    const { view, set } = scene({ slowStartMs: 1000 });
    view.admit(0, 'down', NOW - 10);
    view.admit(0, 'up', NOW);
    const isNew = (afterMs: number) => set.at(NOW + afterMs) && set.hasNewcomers;
    assert.deepEqual([0, 999.9, 1000].map(isNew), [true, true, false]);
  });

  it('is none where there is no slow start, nor is one that was always up', () => {
    const { view, set } = scene({ slowStartMs: 10 * NOW });
    assert.ok(set.at(NOW) && !set.hasNewcomers);
    const swift = new CandidateSet(samplePool(), view);
    view.admit(0, 'down', NOW);
    view.admit(0, 'up', NOW);
    assert.ok(swift.at(NOW) && !swift.hasNewcomers);
  });
});
