/** A worker thread of the metric cells' tests: counts, says so, and waits to be killed. */
import { parentPort, workerData } from 'node:worker_threads';
import { MetricCells } from '#shared/metric-cells.ts';

export type Task = {
  readonly memory: SharedArrayBuffer;
  readonly worker: number;
  readonly series: number;
  readonly rounds: number;
};

const { memory, worker, series, rounds } = workerData as Task;
const { requestDuration, activeRequests } = MetricCells.attach(memory).ofWorker(worker);

for (let round = 0; round < rounds; round++) {
  for (let nth = 0; nth < series; nth++) {
    activeRequests.add(activeRequests.row(['GET', 'http']), 1);
    requestDuration.observe(requestDuration.row(['GET', `route ${nth}`, 200, 'http']), 0.25);
  }
  if (round === 0) parentPort?.postMessage('working');
}
parentPort?.postMessage('done');
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
