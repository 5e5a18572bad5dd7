/** The thread behind the tests of the retry budget, of connection counts and of outcome cells. */
import { parentPort, workerData } from 'node:worker_threads';
import { ClientConnectionCount, type ClientConnectionMemory } from '#shared/client-connection-count.ts';
import { ConnectionCount } from '#shared/connection-count.ts';
import { RetryBudget } from '#shared/retry-budget.ts';
import { UpstreamCells } from '#shared/upstream-cells.ts';

export type CountingWork =
  /** Counts five requests and one retry, `counts` times. */
  | {
      readonly kind: 'retries';
      readonly memory: SharedArrayBuffer;
      readonly worker: number;
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
  /** The same, for the connections of one client. */
  | {
      readonly kind: 'client connections';
      readonly memory: ClientConnectionMemory;
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

const REFUSALS_IN_A_ROW = 1000;

const work = workerData as CountingWork;

if (work.kind === 'retries') {
  const budget = RetryBudget.attach(work.memory, work.worker);
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
} else if (work.kind === 'client connections') {
  const connections = ClientConnectionCount.attach(work.memory);
  const enter = () => connections.enter(work.worker, 'client', work.max);
  for (let count = 0; count < work.counts; count++) {
    if (enter()) connections.leave(work.worker, 'client');
  }
  let held = 0;
  // The other one may be counted for a moment, and then not be let in.
  for (let refused = 0; refused < REFUSALS_IN_A_ROW; ) {
    if (!enter()) refused++;
    else {
      held++;
      refused = 0;
    }
  }
  parentPort?.postMessage(held);
} else {
  const connections = ConnectionCount.attach(work.memory);
  for (let count = 0; count < work.counts; count++) {
    if (connections.enter(work.worker, work.max)) connections.leave(work.worker);
  }
  let held = 0;
  while (connections.enter(work.worker, work.max)) held++;
  parentPort?.postMessage(held);
}
