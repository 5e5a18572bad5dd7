import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { RetryBudget } from '#shared/retry-budget.ts';
import type { CountingWork } from './counting-worker.ts';

/** As far from the machine's start as a clock reads after a month. */
const NOW = 30 * 86_400_000 + 123.456;

function budgetWith(requests: number, retries: number, nowMs = NOW): RetryBudget {
  const budget = RetryBudget.create(1);
  for (let counted = 0; counted < requests; counted++) budget.countRequest(nowMs);
  for (let counted = 0; counted < retries; counted++) budget.countRetry(nowMs);
  return budget;
}

/** How many retries fit at one moment. */
function room(budget: RetryBudget, nowMs: number): number {
  let retries = 0;
  while (budget.hasRoom(nowMs) && retries < 10_000) {
    budget.countRetry(nowMs);
    retries++;
  }
  return retries;
}

describe('the retry budget', () => {
  it('is three a second where little else happens', () => {
    const budget = RetryBudget.create(1);
    for (let second = 0; second < 30; second++) assert.equal(room(budget, NOW + second * 1000), 3);
  });

  it('is a fifth of the requests', () => {
    assert.equal(room(budgetWith(100, 0), NOW), 20);
    assert.equal(room(budgetWith(100, 15), NOW), 5);
    assert.equal(room(budgetWith(101, 20), NOW), 1);
    assert.equal(room(budgetWith(100, 20), NOW), 0);
  });

  it('is a fifth of those of ten seconds, retries of these included', () => {
    const budget = RetryBudget.create(1);
    for (let second = 0; second < 10; second++)
      for (let request = 0; request < 10; request++) budget.countRequest(NOW + second * 1000);
    assert.equal(room(budget, NOW + 9000), 20);
    // The first second's ten requests have left the window, the twenty retries have not.
    assert.equal(room(budget, NOW + 10_000), 3);
  });

  it('forgets what is older, even after a long silence', () => {
    for (const silenceMs of [10_000, 11_000, 15_500, 20_000, 3_600_000]) {
      assert.equal(room(budgetWith(1000, 0), NOW + silenceMs), 3, `${silenceMs}`);
      assert.equal(room(budgetWith(0, 1000), NOW + silenceMs), 3, `${silenceMs}`);
    }
    assert.equal(room(budgetWith(1000, 0), NOW + 9000), 200);
  });

  it('has three a second for all workers together', () => {
    const budget = RetryBudget.create(2);
    const other = RetryBudget.attach(budget.memory, 1);
    assert.equal(room(other, NOW), 3);
    assert.equal(room(budget, NOW), 0);
    assert.equal(room(budget, NOW + 1000), 3);
  });

  it('is one for all workers, to the last count', async () => {
    const budget = RetryBudget.create(3);
    const work = { kind: 'retries', memory: budget.memory, nowMs: NOW, counts: 50_000 } as const;
    const url = new URL('./counting-worker.ts', import.meta.url);
    const workers = [1, 2].map((worker) => {
      const workerData: CountingWork = { ...work, worker };
      return new Worker(url, { workerData });
    });
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
    // Each has counted five requests for one retry: the budget is used up, to the last one.
    assert.ok(!budget.hasRoom(NOW));
    for (let request = 0; request < 5; request++) budget.countRequest(NOW);
    assert.equal(room(budget, NOW), 1);
  });
});
