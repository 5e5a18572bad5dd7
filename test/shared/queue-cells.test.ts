import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { QueueCells } from '#shared/queue-cells.ts';

function workersOf(count: number): QueueCells[] {
  const { memory } = QueueCells.create(count);
  return Array.from({ length: count }, (_, worker) => QueueCells.attach(memory, worker));
}

describe('what workers know of those that wait in others', () => {
  it('is who waits longest, if it waits longer than they do', () => {
    const [first, second, third] = workersOf(3);
    assert.ok(first && second && third);
    assert.equal(first.elder(7, Infinity), null);
    second.publish(7, 200);
    third.publish(7, 100);
    assert.equal(first.elder(7, Infinity), 2);
    assert.equal(first.elder(7, 150), 2);
    assert.equal(first.elder(7, 100), null);
    assert.equal(third.elder(7, Infinity), 1);
    assert.equal(first.elder(8, Infinity), null);
    third.publish(7, 0);
    assert.equal(first.elder(7, Infinity), 1);
  });

  it('is nothing of a worker that is gone', () => {
    const [first, second] = workersOf(2);
    assert.ok(first && second);
    second.publish(0, 100);
    first.forgetWorker(1);
    assert.equal(first.elder(0, Infinity), null);
  });

  it('reaches another thread by its bell', async (t) => {
    const [cells] = workersOf(2);
    assert.ok(cells);
    const url = new URL('./queue-cells-thread.ts', import.meta.url);
    const thread = new Worker(url, { workerData: { memory: cells.memory, worker: 1 } });
    t.after(() => thread.terminate());
    assert.deepEqual(await once(thread, 'message'), ['listens']);
    const rung = once(thread, 'message');
    cells.ring(1);
    assert.deepEqual(await rung, ['rung']);
  });
});
