import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ClientConnectionCount } from '#shared/client-connection-count.ts';
import type { CountingWork } from './counting-worker.ts';

describe("the count of a client's connections", () => {
  it('lets in as many as it may have, over all workers, and others as well', () => {
    const count = ClientConnectionCount.create(3, [1, 2]);
    assert.ok(count.enter(0, 'a', 2) && count.enter(2, 'a', 2));
    assert.ok(!count.enter(0, 'a', 2) && !count.enter(1, 'a', 2));
    assert.ok(count.enter(1, 'b', 2));
    count.leave(2, 'a');
    assert.ok(count.enter(1, 'a', 2));
    assert.ok(!count.enter(2, 'a', 2));
  });

  it('counts hardly anybody for others where there are many', () => {
    const count = ClientConnectionCount.create(1, [1, 2]);
    let refused = 0;
    for (let client = 0; client < 10_000; client++) if (!count.enter(0, `client ${client}`, 1)) refused++;
    assert.ok(refused < 200, `${refused}`);
  });

  it("forgets a dead worker's, and nobody else's", () => {
    const count = ClientConnectionCount.create(2, [1, 2]);
    for (const worker of [0, 1, 1]) assert.ok(count.enter(worker, 'a', 3));
    ClientConnectionCount.attach(count.memory).forgetWorker(1);
    assert.ok(count.enter(1, 'a', 3) && count.enter(1, 'a', 3));
    assert.ok(!count.enter(1, 'a', 3));
  });

  it('never has more than it may while workers come and go at once', async () => {
    const max = 1000;
    const count = ClientConnectionCount.create(2, [1, 2]);
    const url = new URL('./counting-worker.ts', import.meta.url);
    const held = await Promise.all(
      [0, 1].map(async (worker) => {
        const { memory } = count;
        const work: CountingWork = { kind: 'client connections', memory, worker, max, counts: 50_000 };
        const [places] = await once(new Worker(url, { workerData: work }), 'message');
        return places as number;
      }),
    );
    assert.equal((held[0] ?? 0) + (held[1] ?? 0), max);
    count.forgetWorker(0);
    count.forgetWorker(1);
    for (let places = 0; places < max; places++) assert.ok(count.enter(0, 'client', max));
    assert.ok(!count.enter(0, 'client', max));
  });
});
