/** The thread behind queue-cells.test.ts: says when its bell is rung. */
import { parentPort, workerData } from 'node:worker_threads';
import { QueueCells } from '#shared/queue-cells.ts';

const { memory, worker } = workerData as { memory: SharedArrayBuffer; worker: number };

QueueCells.attach(memory, worker).listen(() => {
  parentPort?.postMessage('rung');
  parentPort?.close();
});
parentPort?.on('message', () => {});
parentPort?.postMessage('listens');
