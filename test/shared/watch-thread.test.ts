import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MetricCells } from '#shared/metric-cells.ts';
import { PROBE_MS, watchThread } from '#shared/watch-thread.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

/** A clock whose timers all come late. */
class LateClock extends VirtualClock {
  lateMs = 0;

  override after(delayMs: number, action: () => void) {
    return super.after(delayMs + this.lateMs, action);
  }
}

describe('a thread', () => {
  it('says how late it is, and how much memory it uses', () => {
    const cells = MetricCells.create(1);
    const clock = new LateClock();
    let heap = 100;
    const watch = watchThread(cells.ofWorker(0), 'worker-0', () => heap, clock);
    clock.advance(10 * PROBE_MS);
    clock.lateMs = 300;
    clock.advance(PROBE_MS + 300);
    heap = 200;
    clock.lateMs = 0;
    clock.advance(20 * PROBE_MS + 300);
    const [delay] = cells.read('loopDelay');
    const [fast = 0, ...slower] = delay?.numbers ?? [];
    assert.deepEqual(delay?.labels, ['worker-0']);
    assert.ok(fast > 20);
    assert.equal(
      slower.slice(0, -1).reduce((sum, count) => sum + count, 0),
      1,
    );
    assert.ok(Math.abs((slower.at(-1) ?? 0) - 0.3) < 1e-6, 'late by 0.3 seconds in all');
    assert.deepEqual(cells.read('heapUsed')[0]?.numbers, [200]);
    watch[Symbol.dispose]();
    assert.equal(clock.timers, 0);
  });

  it('tells of each probe, and when the next one is due', () => {
    const clock = new LateClock();
    const probes: (readonly [number, number])[] = [];
    const startMs = clock.monotonicMs();
    watchThread(
      MetricCells.create(1).ofWorker(0),
      'worker-0',
      () => 0,
      clock,
      (lateMs, dueMs) => void probes.push([lateMs, dueMs - startMs]),
    );
    clock.lateMs = 300;
    clock.advance(PROBE_MS);
    clock.advance(PROBE_MS + 300);
    assert.deepEqual(probes, [
      [0, 2 * PROBE_MS],
      [300, 3 * PROBE_MS + 300],
    ]);
  });

  it('uses no memory once it has ended', () => {
    const cells = MetricCells.create(1);
    watchThread(cells.ofWorker(0), 'worker-0', () => 100, new VirtualClock());
    cells.forgetWorker(0);
    assert.deepEqual(cells.read('heapUsed')[0]?.numbers, [0]);
  });
});
