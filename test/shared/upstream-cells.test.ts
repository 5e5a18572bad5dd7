import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import {
  LATENCY_DECAY_MS,
  loadView,
  POOL_SLOTS_MAX,
  UPSTREAM_SLOTS_MAX,
  UpstreamCells,
  WORKERS_MAX,
} from '#shared/upstream-cells.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import type { BalancingWork } from './balancing-worker.ts';

const NOW = 1_000_000;
const LAST_SLOT = UPSTREAM_SLOTS_MAX - 1;

describe('requests in flight', () => {
  it('are counted over all workers', () => {
    const [first, second] = workersOf(2);
    first.begin(5);
    second.begin(5);
    second.begin(LAST_SLOT);
    assert.equal(first.inFlight(5), 2);
    assert.equal(first.inFlight(LAST_SLOT), 1);
    first.end(5);
    assert.equal(second.inFlight(5), 1);
  });

  it('are begun up to a bound, which holds over all workers', () => {
    const [first, second] = workersOf(2);
    assert.ok(first.tryBegin(5, 2));
    assert.ok(second.tryBegin(5, 2));
    assert.ok(!first.tryBegin(5, 2) && !second.tryBegin(5, 2));
    assert.equal(first.inFlight(5), 2);
    second.end(5);
    assert.ok(first.tryBegin(5, 2));
  });

  it("lose a dead worker's share and no other's", () => {
    const [first, second] = workersOf(2);
    first.begin(0);
    second.begin(0);
    second.begin(0);
    second.begin(LAST_SLOT);
    first.forgetWorker(1);
    assert.equal(first.inFlight(0), 1);
    assert.equal(first.inFlight(LAST_SLOT), 0);
    const reborn = UpstreamCells.attach(first.memory, 1);
    reborn.begin(0);
    first.forgetWorker(1);
    assert.equal(first.inFlight(0), 1);
  });
});

describe('latency', () => {
  it('rises at once and falls with time', () => {
    const cells = UpstreamCells.create(1);
    assert.equal(cells.latencyMs(0, NOW), 0);
    cells.observeLatency(0, 10, NOW);
    assert.equal(cells.latencyMs(0, NOW), 10);
    cells.observeLatency(0, 50, NOW + 1);
    assert.equal(cells.latencyMs(0, NOW + 1), 50);
    cells.observeLatency(0, 10, NOW + 1 + LATENCY_DECAY_MS);
    assertNear(cells.latencyMs(0, NOW + 1 + LATENCY_DECAY_MS), 10 + 40 / Math.E);
  });

  it('is forgotten without news', () => {
    const cells = UpstreamCells.create(1);
    cells.observeLatency(0, 50, NOW);
    assertNear(cells.latencyMs(0, NOW + LATENCY_DECAY_MS), 50 / Math.E);
  });

  it('falls at the same rate, soon and late', () => {
    const cells = UpstreamCells.create(1);
    cells.observeLatency(0, 50, NOW);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 10 * LATENCY_DECAY_MS, noNaN: true }), (ageMs) => {
        const exact = 50 * Math.exp(-ageMs / LATENCY_DECAY_MS);
        assert.ok(Math.abs(cells.latencyMs(0, NOW + ageMs) / exact - 1) < 1e-6);
      }),
    );
  });

  it('does not mind a clock that is a little behind', () => {
    const cells = UpstreamCells.create(1);
    cells.observeLatency(0, 50, NOW);
    cells.observeLatency(0, 10, NOW - 0.1);
    assert.equal(cells.latencyMs(0, NOW - 0.2), 50);
  });
});

describe('rows and turns', () => {
  it('hands a slot on without what its last upstream did, but with what is in flight', () => {
    const cells = UpstreamCells.create(1);
    cells.begin(3);
    cells.observeLatency(3, 50, NOW);
    cells.admission.admit(3, 'down', NOW);
    cells.reset(3);
    assert.equal(cells.admission.admission(3), 'up');
    assert.equal(cells.latencyMs(3, NOW), 0);
    assert.equal(cells.inFlight(3), 1);
  });

  it('keeps a cursor for each pool', () => {
    const [first, second] = workersOf(2);
    assert.deepEqual([first.nextTurn(0), second.nextTurn(0), first.nextTurn(POOL_SLOTS_MAX - 1)], [0, 1, 0]);
  });

  it('turns a cursor over from 2^32 − 1 to 0', () => {
    const cells = UpstreamCells.create(1);
    cells.nextTurn(0);
    const words = new Int32Array(cells.memory);
    words[words.indexOf(1)] = -2;
    assert.deepEqual(
      [cells.nextTurn(0), cells.nextTurn(0), cells.nextTurn(0)],
      [2 ** 32 - 2, 2 ** 32 - 1, 0],
    );
  });

  it('refuses what it has no room for', () => {
    assert.throws(() => UpstreamCells.create(0), /1 to 65 workers, not 0/);
    assert.throws(() => UpstreamCells.create(WORKERS_MAX + 1), RangeError);
    const { memory } = UpstreamCells.create(2);
    assert.throws(() => UpstreamCells.attach(memory, 2), /worker 2 has no place in cells for 2/);
    assert.throws(() => UpstreamCells.attach(memory, 0).begin(UPSTREAM_SLOTS_MAX), RangeError);
  });

  it('is seen by strategies at the time of the clock', () => {
    const clock = new VirtualClock();
    const cells = UpstreamCells.create(1);
    const load = loadView(cells, clock);
    cells.begin(3);
    cells.observeLatency(3, 50, clock.monotonicMs());
    clock.advance(LATENCY_DECAY_MS);
    assert.equal(load.inFlight(3), 1);
    assertNear(load.latencyMs(3), 50 / Math.E);
    assert.deepEqual([load.nextTurn(1), load.nextTurn(1)], [0, 1]);
  });
});

describe('worker threads', () => {
  it('share one round robin exactly, and leave nothing in flight', async () => {
    const picks = 20_000;
    const cells = UpstreamCells.create(3);
    const reports = await Promise.all(
      [0, 1, 2].map((worker) => runWorker({ memory: cells.memory, worker, picks })),
    );
    const total = [0, 0, 0];
    for (const counts of reports)
      for (const [slot, count] of counts.entries()) total[slot] = (total[slot] ?? 0) + count;
    // 60 000 turns of a cycle of 7: everyone within one turn of its due.
    for (const [slot, weight] of [5, 1, 1].entries()) {
      const due = (3 * picks * weight) / 7;
      assert.ok(Math.abs((total[slot] ?? 0) - due) <= 1, `upstream ${slot} had ${total[slot]}, due ${due}`);
      assert.equal(cells.inFlight(slot), 0);
    }
  });

  it('that die in the midst of it leave no count behind', async () => {
    const cells = UpstreamCells.create(2);
    cells.begin(0);
    const worker = startWorker({ memory: cells.memory, worker: 1, picks: 'until it dies' });
    await once(worker, 'message');
    await worker.terminate();
    assert.ok(cells.inFlight(0) > 1);
    cells.forgetWorker(1);
    assert.deepEqual([cells.inFlight(0), cells.inFlight(1), cells.inFlight(2)], [1, 0, 0]);
  });
});

function startWorker(workerData: BalancingWork): Worker {
  return new Worker(new URL('./balancing-worker.ts', import.meta.url), { workerData });
}

async function runWorker(work: BalancingWork): Promise<number[]> {
  const [counts] = await once(startWorker(work), 'message');
  return counts;
}

function workersOf(count: 2): [UpstreamCells, UpstreamCells] {
  const cells = UpstreamCells.create(count);
  return [cells, UpstreamCells.attach(cells.memory, 1)];
}

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);
}
