/** The thread behind retry-budget.test.ts and connection-count.test.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { ConnectionCount } from '#shared/connection-count.ts';
import { RetryBudget } from '#shared/retry-budget.ts';

export type CountingWork =
  /** Counts five requests and one retry, `counts` times. */
  | {
      readonly kind: 'retries';
      readonly memory: SharedArrayBuffer;
      readonly nowMs: number;
      readonly counts: number;
    }
  /** Comes and goes `counts` times, then stays until it is full, and says with how many. */
  | {
      readonly kind: 'connections';
      readonly memory: SharedArrayBuffer;
      readonly worker: number;
      readonly max: number;
      readonly counts: number;
    };

const work = workerData as CountingWork;

if (work.kind === 'retries') {
  const budget = RetryBudget.attach(work.memory);
  for (let count = 0; count < work.counts; count++) {
    for (let request = 0; request < 5; request++) budget.countRequest(work.nowMs);
    budget.countRetry(work.nowMs);
  }
} else {
  const connections = ConnectionCount.attach(work.memory);
  for (let count = 0; count < work.counts; count++) {
    if (connections.enter(work.worker, work.max)) connections.leave(work.worker);
  }
  let held = 0;
  while (connections.enter(work.worker, work.max)) held++;
  parentPort?.postMessage(held);
}
