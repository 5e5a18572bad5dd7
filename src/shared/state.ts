import { randomBytes } from 'node:crypto';
import type { HashKey } from '#core/hash.ts';
import type { Settings } from '#core/settings.ts';
import { ClientConnectionCount, type ClientConnectionMemory } from './client-connection-count.ts';
import { ConnectionCount } from './connection-count.ts';
import { HeldBytes } from './held-bytes.ts';
import { type LimitMemory, LimitTable } from './limit-table.ts';
import { MetricCells } from './metric-cells.ts';
import { QueueCells } from './queue-cells.ts';
import { type RecordsMemory, RequestRecords } from './records/request-records.ts';
import { RetryBudget } from './retry-budget.ts';
import { UpstreamCells } from './upstream-cells.ts';

/** Numbers beyond those of the workers that serve: for one that takes over while the one before it finishes. */
export const SPARE_WORKERS = 1;

/** All that the threads of an instance share; may be sent to a worker in a message. */
export type SharedMemory = {
  readonly upstreams: SharedArrayBuffer;
  readonly queues: SharedArrayBuffer;
  readonly held: SharedArrayBuffer;
  readonly limits: LimitMemory;
  readonly connections: SharedArrayBuffer;
  readonly clientConnections: ClientConnectionMemory;
  readonly retries: SharedArrayBuffer;
  readonly metrics: SharedArrayBuffer;
  readonly records: RecordsMemory;
};

export type SharedState = {
  readonly upstreams: UpstreamCells;
  readonly queues: QueueCells;
  readonly held: HeldBytes;
  readonly limits: LimitTable;
  readonly connections: ConnectionCount;
  readonly clientConnections: ClientConnectionCount;
  readonly retries: RetryBudget;
  readonly metrics: MetricCells;
  readonly records: RequestRecords;
};

export function createSharedState(
  settings: Pick<Settings, 'server' | 'limits' | 'telemetry' | 'log'>,
): SharedState {
  const workers = settings.server.workers + SPARE_WORKERS;
  return {
    upstreams: UpstreamCells.create(workers),
    queues: QueueCells.create(workers),
    held: HeldBytes.create(workers, settings.server.bufferedBytesMax),
    limits: LimitTable.create({
      keysMax: settings.limits.keysMax,
      hashKey: randomKey(),
    }),
    connections: ConnectionCount.create(workers),
    clientConnections: ClientConnectionCount.create(workers, randomKey()),
    retries: RetryBudget.create(workers),
    metrics: MetricCells.create(workers),
    records: RequestRecords.create({
      workers,
      kept: settings.telemetry.requestsKept,
      inFlight: recordsAny(settings) ? settings.server.maxConnections : 0,
    }),
  };
}

function randomKey(): HashKey {
  const random = randomBytes(8);
  return [random.readInt32LE(0), random.readInt32LE(4)];
}

/** Whether anybody wants to know of requests: looks them up, sends traces, or logs. */
function recordsAny({ telemetry, log }: Pick<Settings, 'telemetry' | 'log'>): boolean {
  return telemetry.requestsKept > 0 || telemetry.sampler !== null || log.access;
}

export function memoryOf(state: SharedState): SharedMemory {
  return {
    upstreams: state.upstreams.memory,
    queues: state.queues.memory,
    held: state.held.memory,
    limits: state.limits.memory,
    connections: state.connections.memory,
    clientConnections: state.clientConnections.memory,
    retries: state.retries.memory,
    metrics: state.metrics.memory,
    records: state.records.shared,
  };
}

/** The state as worker number `worker` sees it. */
export function attachSharedState(memory: SharedMemory, worker: number): SharedState {
  return {
    upstreams: UpstreamCells.attach(memory.upstreams, worker),
    queues: QueueCells.attach(memory.queues, worker),
    held: HeldBytes.attach(memory.held, worker),
    limits: LimitTable.attach(memory.limits, worker),
    connections: ConnectionCount.attach(memory.connections),
    clientConnections: ClientConnectionCount.attach(memory.clientConnections),
    retries: RetryBudget.attach(memory.retries, worker),
    metrics: MetricCells.attach(memory.metrics),
    records: RequestRecords.attach(memory.records),
  };
}

/** Takes back what a worker held when its thread ended, before another takes its number. */
export function forgetWorker(state: SharedState, worker: number, nowMs: number): void {
  state.upstreams.forgetWorker(worker);
  state.queues.forgetWorker(worker);
  state.held.forgetWorker(worker);
  state.limits.releaseLocksOf(worker);
  state.connections.forgetWorker(worker);
  state.clientConnections.forgetWorker(worker);
  state.metrics.forgetWorker(worker);
  state.records.forgetWorker(worker, nowMs);
}
