import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Outcome } from '#core/outcome.ts';
import { UpstreamCells } from '#shared/upstream-cells.ts';
import type { CountingWork } from './counting-worker.ts';

const LIMITS = { consecutive5xx: 5, consecutiveGatewayFailures: 3 };

/** What is told of each outcome, the workers counting in turn. */
function told(outcomes: readonly Outcome[], limits = LIMITS) {
  const cells = UpstreamCells.create(2);
  const views = [cells.outcomes, UpstreamCells.attach(cells.memory, 1).outcomes];
  return outcomes.map((outcome, index) => views[index % 2]?.record(3, outcome, limits));
}

function times(count: number, outcome: Outcome): Outcome[] {
  return Array.from({ length: count }, () => outcome);
}

describe('failures in a row', () => {
  it('are told when their limit is reached, and each time that they are as many again', () => {
    assert.deepEqual(told(times(7, 'gateway_failure')), [
      ...[null, null, 'gateway_failure', null],
      ...['5xx', 'gateway_failure', null],
    ]);
    assert.deepEqual(told(times(6, 'server_error')), [null, null, null, null, '5xx', null]);
  });

  it('are told once where both limits are reached at once', () => {
    const both = { consecutive5xx: 2, consecutiveGatewayFailures: 2 };
    assert.deepEqual(told(times(2, 'gateway_failure'), both), [null, 'gateway_failure']);
  });

  it('begin anew after an answer that is none', () => {
    const four = times(4, 'server_error');
    assert.deepEqual(new Set(told([...four, 'ok', ...four])), new Set([null]));
  });

  it('are gateway failures only without another error between them', () => {
    const two = times(2, 'gateway_failure');
    assert.deepEqual(told([...two, 'server_error', ...two]), [null, null, null, null, '5xx']);
  });

  it('are not told with a limit of 0', () => {
    const never = { consecutive5xx: 0, consecutiveGatewayFailures: 0 };
    assert.deepEqual(new Set(told(times(100, 'gateway_failure'), never)), new Set([null]));
  });

  it('are those of one upstream, and forgotten with it', () => {
    const { outcomes } = UpstreamCells.create(1);
    for (const slot of [2, 4]) outcomes.record(slot, 'gateway_failure', LIMITS);
    outcomes.record(3, 'gateway_failure', LIMITS);
    outcomes.record(3, 'gateway_failure', LIMITS);
    outcomes.forget(3);
    const kinds = times(5, 'gateway_failure').map((outcome) => outcomes.record(3, outcome, LIMITS));
    assert.deepEqual(kinds, [null, null, 'gateway_failure', null, '5xx']);
  });

  it('are counted over all workers, and told once each', async () => {
    const cells = UpstreamCells.create(3);
    const url = new URL('./counting-worker.ts', import.meta.url);
    const workers = [0, 1, 2].map((worker) => {
      const work: CountingWork = { kind: 'failures', memory: cells.memory, worker, counts: 50_000 };
      return new Worker(url, { workerData: work });
    });
    const counts = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      (3 * 50_000) / 5,
    );
  });
});
