/** The thread behind retry-budget.test.ts, connection-count.test.ts and outcome-cells.test.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { ConnectionCount } from '#shared/connection-count.ts';
import { RetryBudget } from '#shared/retry-budget.ts';
import { UpstreamCells } from '#shared/upstream-cells.ts';

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
    }
  /** Counts that many failures, and says how often it was told that there are five more. */
  | {
      readonly kind: 'failures';
      readonly memory: SharedArrayBuffer;
      readonly worker: number;
      readonly counts: number;
    };

const work = workerData as CountingWork;

if (work.kind === 'retries') {
  const budget = RetryBudget.attach(work.memory);
  for (let count = 0; count < work.counts; count++) {
    for (let request = 0; request < 5; request++) budget.countRequest(work.nowMs);
    budget.countRetry(work.nowMs);
  }
} else if (work.kind === 'failures') {
  const { outcomes } = UpstreamCells.attach(work.memory, work.worker);
  const limits = { consecutive5xx: 5, consecutiveGatewayFailures: 0 };
  let told = 0;
  for (let count = 0; count < work.counts; count++)
    if (outcomes.record(0, 'server_error', limits) !== null) told++;
  parentPort?.postMessage(told);
} else {
  const connections = ConnectionCount.attach(work.memory);
  for (let count = 0; count < work.counts; count++) {
    if (connections.enter(work.worker, work.max)) connections.leave(work.worker);
  }
  let held = 0;
  while (connections.enter(work.worker, work.max)) held++;
  parentPort?.postMessage(held);
}
