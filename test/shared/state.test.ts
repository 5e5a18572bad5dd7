import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import {
  attachSharedState,
  createSharedState,
  forgetWorker,
  memoryOf,
  type SharedMemory,
  SPARE_WORKERS,
} from '#shared/state.ts';
import { sampleSettings } from '#test/support/sample-settings.ts';

const NOW = 1_000_000;

/** The memory as a worker gets it. */
async function sent(memory: SharedMemory): Promise<SharedMemory> {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(memory);
  const [received] = await once(port2, 'message');
  port1.close();
  return received as SharedMemory;
}

describe('the shared state', () => {
  it('is the same in every thread', async () => {
    const control = createSharedState(sampleSettings(2));
    const worker = attachSharedState(await sent(memoryOf(control)), 1);
    worker.connections.enter(1, 10);
    worker.upstreams.begin(3);
    worker.retries.countRequest(NOW);
    for (let retries = 0; retries < 3; retries++) worker.retries.countRetry(NOW);
    assert.equal(control.connections.total, 1);
    assert.equal(control.upstreams.inFlight(3), 1);
    assert.ok(!control.retries.hasRoom(NOW));
    const quota = { kind: 'gcra', requests: 1, windowMs: 60_000, burst: 1 } as const;
    assert.ok(worker.limits.take('key', quota, NOW, false).allowed);
    assert.ok(!control.limits.take('key', quota, NOW, false).allowed);
  });

  it('gives back what a worker held when it ended, and nothing else', () => {
    const control = createSharedState(sampleSettings(2));
    for (const worker of [0, 1]) {
      const state = attachSharedState(memoryOf(control), worker);
      state.connections.enter(worker, 10);
      assert.ok(state.clientConnections.enter(worker, 'client', 2));
      state.upstreams.begin(3);
    }
    assert.ok(!control.clientConnections.enter(0, 'client', 2));
    forgetWorker(control, 1, NOW);
    assert.equal(control.connections.total, 1);
    assert.equal(control.upstreams.inFlight(3), 1);
    assert.ok(control.clientConnections.enter(0, 'client', 2));
    forgetWorker(control, 1, NOW);
    assert.equal(control.connections.total, 1);
  });

  it('has a place for one that takes over, and for no more', () => {
    const memory = memoryOf(createSharedState(sampleSettings(2)));
    attachSharedState(memory, 1 + SPARE_WORKERS);
    assert.throws(() => attachSharedState(memory, 2 + SPARE_WORKERS), RangeError);
  });
});
