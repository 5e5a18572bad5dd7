/** The limit table under real threads: what one of them takes counts for all, once, whoever dies. */

import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Quota } from '#core/table.ts';
import { LimitTable } from '#shared/limit-table.ts';
import type { Job, Task } from './limit-table-thread.ts';

const THREADS = 4;

/** The clock stands still, so that nothing comes back meanwhile. */
const NOW_MS = 1_000_000;

function tableOf(keysMax: number): LimitTable {
  return LimitTable.create({ keysMax, hashKey: [1, 2] });
}

function startThread(table: LimitTable, worker: number, job: Job, gate: Task['gate']): Worker {
  const workerData: Task = { memory: table.memory, worker, job, gate };
  return new Worker(new URL('./limit-table-thread.ts', import.meta.url), { workerData });
}

/** What the threads were allowed in all, by key: each asks for every key `rounds` times, all at once. */
async function hammer(table: LimitTable, keys: readonly string[], quota: Quota, rounds: number) {
  const gate = closedGate();
  const job: Job = { kind: 'take', keys, quota, nowMs: NOW_MS, rounds };
  const threads = Array.from({ length: THREADS }, (_, worker) => startThread(table, worker, job, gate));
  await Promise.all(threads.map((thread) => once(thread, 'message')));
  const results = threads.map((thread) => once(thread, 'message'));
  open(gate);

  const allowed = keys.map(() => 0);
  for (const [counts] of await Promise.all(results)) {
    for (const [index, count] of counts.entries()) allowed[index] = (allowed[index] ?? 0) + count;
  }
  return allowed;
}

/** A thread that is terminated at work. */
async function killedThread(table: LimitTable, worker: number, job: Job): Promise<void> {
  const gate = closedGate();
  open(gate);
  const thread = startThread(table, worker, job, gate);
  for await (const [message] of on(thread, 'message')) if (message === 'working') break;
  await thread.terminate();
}

function closedGate(): Task['gate'] {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

function open(gate: Task['gate']): void {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
}

describe('four threads on one key', () => {
  const quotas: readonly Quota[] = [
    { kind: 'gcra', requests: 7, windowMs: 3_600_000, burst: 5_000 },
    { kind: 'sliding_window', requests: 16, windowMs: 60_000 },
    { kind: 'sliding_window', requests: 5_000, windowMs: 60_000 },
  ];
  for (const quota of quotas) {
    const limit = quota.kind === 'gcra' ? quota.burst : quota.requests;
    it(`are allowed ${limit} requests together, to the last one (${quota.kind})`, async () => {
      const allowed = await hammer(tableOf(8), ['client'], quota, 50_000);
      assert.deepEqual(allowed, [limit]);
    });
  }
});

describe('four threads on many keys', () => {
  const keys = Array.from({ length: 300 }, (_, key) => `client ${key}`);
  const quotas: readonly Quota[] = [
    { kind: 'gcra', requests: 1, windowMs: 3_600_000, burst: 150 },
    { kind: 'sliding_window', requests: 150, windowMs: 60_000 },
  ];
  for (const quota of quotas) {
    it(`are allowed each key's quota together, and have one cell for each (${quota.kind})`, async () => {
      const table = tableOf(8_192);
      const allowed = await hammer(table, keys, quota, 100);
      assert.deepEqual(
        allowed,
        keys.map(() => 150),
      );
      assert.equal(table.keysInUse(NOW_MS), keys.length);
    });
  }
});

describe('a thread that dies', () => {
  const quota: Quota = { kind: 'gcra', requests: 1, windowMs: 60_000, burst: 3 };
  const dead = 5;

  it('leaves a lock behind that the control plane frees', async () => {
    const table = tableOf(8);
    await killedThread(table, dead, { kind: 'hold', set: 0 });
    assert.equal(lockWord(table), dead + 1);
    table.releaseLocksOf(dead);
    assert.equal(lockWord(table), 0);
    assert.equal(table.take('client', quota, NOW_MS, false).allowed, true);
  });

  it('blocks nobody for long even if nobody frees its lock', async () => {
    const table = tableOf(8);
    await killedThread(table, dead, { kind: 'hold', set: 0 });
    assert.equal(table.take('client', quota, NOW_MS, false).allowed, true);
    assert.equal(lockWord(table), 0);
  });

  it('while it takes, leaves what was counted so far', async () => {
    const table = tableOf(8);
    await killedThread(table, dead, { kind: 'takeForEver', key: 'client', quota, nowMs: NOW_MS });
    table.releaseLocksOf(dead);
    assert.equal(table.take('client', quota, NOW_MS, false).allowed, false);
    assert.equal(table.take('another', quota, NOW_MS, false).allowed, true);
  });
});

/** The lock of the table's only `gcra` set: the last word of its memory. */
function lockWord(table: LimitTable): number {
  const { gcra } = table.memory;
  return Atomics.load(new Int32Array(gcra, gcra.byteLength - Int32Array.BYTES_PER_ELEMENT), 0);
}
