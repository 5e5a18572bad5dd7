/** The thread behind upstream-cells.test.ts: balances requests, then reports how many each slot had. */

import { parentPort, workerData } from 'node:worker_threads';
import { RoundRobin } from '#core/balance/round-robin.ts';
import { systemClock } from '#core/clock.ts';
import { loadView, UpstreamCells } from '#shared/upstream-cells.ts';
import { candidates, request, upstreams } from '#test/core/balance/pool.ts';

export type BalancingWork = {
  readonly memory: SharedArrayBuffer;
  readonly worker: number;
  readonly picks: number | 'until it dies';
};

const { memory, worker, picks } = workerData as BalancingWork;
const cells = UpstreamCells.attach(memory, worker);
const strategy = new RoundRobin(loadView(cells, systemClock));
const from = candidates(upstreams(5, 1, 1));
const counts = [0, 0, 0];

if (picks === 'until it dies') {
  for (let slot = begin(); ; slot = begin()) {
    // Every other request is left in flight.
    begin();
    cells.end(slot);
    if (counts[0] === 5000) parentPort?.postMessage(counts);
  }
}
for (let nth = 0; nth < picks; nth++) cells.end(begin());
parentPort?.postMessage(counts);

function begin(): number {
  const slot = strategy.pick(from, request())?.slot ?? -1;
  cells.begin(slot);
  counts[slot] = (counts[slot] ?? 0) + 1;
  return slot;
}
