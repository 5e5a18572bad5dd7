/** A worker thread of the limit table's tests: says that it is there, waits for the gate, does its job. */

import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import type { Quota } from '#core/table.ts';
import { LimitCells } from '#shared/limit-cells.ts';
import { type LimitMemory, LimitTable } from '#shared/limit-table.ts';

export type Task = {
  readonly memory: LimitMemory;
  readonly worker: number;
  readonly job: Job;
  /** One word, 0 while the threads are to wait for each other. */
  readonly gate: Int32Array<SharedArrayBuffer>;
};

export type Job =
  | {
      readonly kind: 'take';
      readonly keys: readonly string[];
      readonly quota: Quota;
      readonly nowMs: number;
      readonly rounds: number;
    }
  | { readonly kind: 'takeForEver'; readonly key: string; readonly quota: Quota; readonly nowMs: number }
  /** Holds the lock of a `gcra` set until it is terminated. */
  | { readonly kind: 'hold'; readonly set: number };

const { memory, worker, job, gate }: Task = workerData;
const table = LimitTable.attach(memory, worker);
assert.ok(parentPort);

parentPort.postMessage('ready');
Atomics.wait(gate, 0, 0);

if (job.kind === 'take') {
  const allowed = job.keys.map(() => 0);
  for (let round = 0; round < job.rounds; round++) {
    for (const [index, key] of job.keys.entries()) {
      if (table.take(key, job.quota, job.nowMs, false).allowed) allowed[index] = (allowed[index] ?? 0) + 1;
    }
  }
  parentPort.postMessage(allowed);
} else if (job.kind === 'takeForEver') {
  for (let taken = 0; ; taken++) {
    table.take(job.key, job.quota, job.nowMs, false);
    if (taken === 1_000) parentPort.postMessage('working');
  }
} else {
  new LimitCells(memory.gcra, 0, worker).locks.acquire(job.set);
  parentPort.postMessage('working');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
