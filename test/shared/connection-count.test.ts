import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ConnectionCount } from '#shared/connection-count.ts';
import type { CountingWork } from './counting-worker.ts';

describe('the count of connections', () => {
  it('lets in as many as there are places, over all workers', () => {
    const count = ConnectionCount.create(3);
    assert.ok(count.enter(0, 2) && count.enter(2, 2));
    assert.ok(!count.enter(0, 2) && !count.enter(1, 2));
    assert.equal(count.total, 2);
    count.leave(2);
    assert.ok(count.enter(1, 2));
    assert.ok(!count.enter(2, 2));
  });

  it('has no place where none may be', () => {
    const count = ConnectionCount.create(1);
    assert.ok(!count.enter(0, 0));
    assert.equal(count.total, 0);
  });

  it("gives back a dead worker's places, once, and nobody else's", () => {
    const count = ConnectionCount.create(2);
    for (const worker of [0, 1, 1]) assert.ok(count.enter(worker, 10));
    const inControl = ConnectionCount.attach(count.memory);
    inControl.forgetWorker(1);
    assert.equal(count.total, 1);
    inControl.forgetWorker(1);
    assert.equal(count.total, 1);
    count.leave(0);
    assert.equal(count.total, 0);
  });

  it('is exact while workers come and go at once', async () => {
    const max = 1000;
    const count = ConnectionCount.create(2);
    const url = new URL('./counting-worker.ts', import.meta.url);
    const held = await Promise.all(
      [0, 1].map(async (worker) => {
        const work: CountingWork = { kind: 'connections', memory: count.memory, worker, max, counts: 50_000 };
        const [places] = await once(new Worker(url, { workerData: work }), 'message');
        return places as number;
      }),
    );
    assert.equal(count.total, max);
    assert.equal((held[0] ?? 0) + (held[1] ?? 0), max);
    count.forgetWorker(0);
    assert.equal(count.total, held[1]);
    count.forgetWorker(1);
    assert.equal(count.total, 0);
  });
});
