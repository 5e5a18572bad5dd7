import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BoundedPool, LOOK_EVERY_MS, Queues } from '#http/in-flight/queues.ts';
import { RequestMetrics } from '#http/request-metrics.ts';
import { MetricCells } from '#shared/metric-cells.ts';
import { QueueCells } from '#shared/queue-cells.ts';
import { until } from '#test/support/process.ts';
import { samplePool } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const POOL = poolOf({ lengthMax: 3, timeoutMs: 1000 });

function poolOf(queue: BoundedPool['inFlight']['queue'], name = 'default'): BoundedPool {
  return { ...samplePool({ name }), inFlight: { max: 1, queue } };
}

/** Two workers, one pool of `free` places, and who went on, or did not, in order. */
function scene() {
  const clock = new VirtualClock();
  const cells = MetricCells.create(2);
  const { memory } = QueueCells.create(2);
  const queues = [0, 1].map(
    (worker) =>
      new Queues(QueueCells.attach(memory, worker), new RequestMetrics(cells.ofWorker(worker)), clock),
  );
  const [first, second] = queues;
  assert.ok(first && second);
  const told: string[] = [];
  const scene = {
    first,
    second,
    clock,
    told,
    free: 0,
    join: (queues: Queues, name: string, { pool = POOL, isFirstTry = true, needs = 1 } = {}) =>
      queues.join({
        pool,
        isFirstTry,
        next: () => {
          if (scene.free < needs) return null;
          scene.free--;
          return () => told.push(name);
        },
        timedOut: () => told.push(`${name} timed out`),
      }),
    async frees(queues: Queues, places = 1) {
      scene.free += places;
      queues.freed(POOL);
      await Promise.resolve();
    },
    lengths: () => cells.read('queueLength').map(({ numbers }) => numbers[0]),
    results: () =>
      Object.fromEntries(
        cells
          .read('queueDuration')
          .map(({ labels, numbers }) => [labels?.[1], numbers.slice(0, -1).reduce((a, b) => a + b)]),
      ),
  };
  return scene;
}

describe('requests that wait for an upstream', () => {
  it('go on in the order in which they came', async () => {
    const { first, join, frees, told, lengths, results } = scene();
    for (const name of ['a', 'b', 'c']) join(first, name);
    assert.deepEqual(lengths(), [3]);
    await frees(first);
    assert.deepEqual(told, ['a']);
    await frees(first, 2);
    assert.deepEqual(told, ['a', 'b', 'c']);
    assert.deepEqual([lengths(), results()], [[0], { passed: 3 }]);
    assert.ok(!first.hasWaiting(POOL));
  });

  it('are no more than may be', () => {
    const { first, join } = scene();
    for (const name of ['a', 'b', 'c']) assert.notEqual(join(first, name), null);
    assert.equal(join(first, 'd'), null);
    assert.equal(join(first, 'none', { pool: poolOf({ lengthMax: 0, timeoutMs: 1 }, 'other') }), null);
    assert.notEqual(join(first, 'e', { pool: poolOf({ lengthMax: 1, timeoutMs: 1 }, 'other') }), null);
  });

  it('wait no longer than they may', () => {
    const { first, join, clock, told, results } = scene();
    join(first, 'a');
    clock.advance(999);
    join(first, 'b');
    assert.deepEqual(told, []);
    clock.advance(1);
    assert.deepEqual(told, ['a timed out']);
    clock.advance(999);
    assert.deepEqual(told, ['a timed out', 'b timed out']);
    assert.deepEqual(results(), { timed_out: 2 });
    assert.equal(clock.timers, 0);
  });

  it('leave when nobody waits for them, and leave nothing behind', async () => {
    const { first, join, frees, clock, told, results } = scene();
    const leave = join(first, 'a');
    join(first, 'b');
    leave?.();
    leave?.();
    await frees(first);
    assert.deepEqual(told, ['b']);
    assert.deepEqual(results(), { passed: 1, given_up: 1 });
    assert.equal(clock.timers, 0);
  });

  it('find room by themselves where nobody tells them of it', () => {
    const scenery = scene();
    scenery.join(scenery.first, 'a');
    scenery.free = 1;
    scenery.clock.advance(LOOK_EVERY_MS);
    assert.deepEqual(scenery.told, ['a']);
  });

  it('do not stand in the way of one that has other needs', async () => {
    const { first, join, frees, told } = scene();
    join(first, 'retry', { isFirstTry: false, needs: 2 });
    join(first, 'a');
    await frees(first);
    assert.deepEqual(told, ['a']);
  });

  it('of an older table do not stand in the way of those of a newer one', async () => {
    const { first, join, frees, told } = scene();
    join(first, 'old', { needs: 2 });
    join(first, 'new', { pool: { ...POOL } });
    await frees(first);
    assert.deepEqual(told, ['new']);
  });

  it('let one go first that has waited longer in another worker, and then go', async () => {
    const { first, second, join, frees, clock, told } = scene();
    join(second, 'theirs');
    clock.advance(1);
    join(first, 'ours');
    assert.ok(second.hasWaiting(POOL));
    await frees(first);
    assert.deepEqual(told, []);
    clock.advance(LOOK_EVERY_MS - 1);
    assert.deepEqual(told, ['theirs']);
  });

  it('are all let go where the other worker takes nothing of what is free', async () => {
    const { first, second, join, frees, clock, told } = scene();
    join(second, 'stuck', { needs: 99 });
    clock.advance(1);
    for (const name of ['a', 'b', 'c']) join(first, name);
    await frees(first, 3);
    clock.advance(LOOK_EVERY_MS);
    assert.deepEqual(told, ['a', 'b', 'c']);
  });

  it('are in nobody’s way while they fail over and wait for one upstream in particular', () => {
    const { first, second, join } = scene();
    join(first, 'retry', { isFirstTry: false });
    assert.ok(!first.hasWaiting(POOL));
    assert.ok(!second.hasWaiting(POOL));
    join(first, 'a');
    assert.ok(first.hasWaiting(POOL) && second.hasWaiting(POOL));
  });

  it('go all the same where the other worker does not', async () => {
    const scenery = scene();
    const { first, second, join, frees, clock, told } = scenery;
    join(second, 'stuck', { needs: 99 });
    clock.advance(1);
    join(first, 'ours');
    await frees(first);
    assert.deepEqual(told, []);
    clock.advance(LOOK_EVERY_MS);
    assert.deepEqual(told, ['ours']);
  });

  it('are woken by another worker that has none itself', async () => {
    const { first, second, join, frees, told } = scene();
    join(second, 'theirs');
    assert.ok(first.hasWaiting(POOL));
    await frees(first);
    await until('the bell is heard', () => told.includes('theirs'));
  });
});
