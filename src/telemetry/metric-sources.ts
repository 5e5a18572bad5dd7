/** Where the instance's metrics come from, each part of it asked at the moment they are wanted. */
import type { Clock } from '#core/clock.ts';
import type { RegistryReport } from '#core/cluster-view.ts';
import {
  INSTANCE_INSTRUMENTS,
  type Instrument,
  WORKER_INSTRUMENTS,
  type WorkerInstrument,
} from '#core/metric-names.ts';
import type { Table } from '#core/table.ts';
import type { ConnectionCount } from '#shared/connection-count.ts';
import type { HeldBytes } from '#shared/held-bytes.ts';
import type { LimitTable } from '#shared/limit-table.ts';
import type { MetricCells, SeriesSum } from '#shared/metric-cells.ts';
import type { RecordReader } from '#shared/records/reader.ts';
import type { Label } from '#shared/series-rows.ts';
import type { SharedState } from '#shared/state.ts';
import type { UpstreamCells } from '#shared/upstream-cells.ts';
import packageFile from '../../package.json' with { type: 'json' };
import type { SpanCounts } from './traces/span-queue.ts';

/** An instrument and what it counts now. */
export type Metric = { readonly instrument: Instrument; readonly series: readonly SeriesSum[] };

export type MetricSource = () => readonly Metric[];

/** What every instance has, whatever it is connected to. */
export function instanceSources(shared: SharedState, table: () => Table, clock: Clock): MetricSource[] {
  return [
    workerSource(shared.metrics),
    connectionSource(shared.connections),
    heldSource(shared.held),
    upstreamSource(shared.upstreams, table, clock),
    processSource(),
    buildSource(),
  ];
}

function workerSource(cells: MetricCells): MetricSource {
  const names = Object.keys(WORKER_INSTRUMENTS) as WorkerInstrument[];
  return () => [
    ...names.map((name) => ({ instrument: WORKER_INSTRUMENTS[name], series: cells.read(name) })),
    { instrument: INSTANCE_INSTRUMENTS.requestsLost, series: [number([], cells.requestsLost)] },
  ];
}

function connectionSource(connections: ConnectionCount): MetricSource {
  return () => [{ instrument: INSTANCE_INSTRUMENTS.connections, series: [number([], connections.total)] }];
}

function heldSource(held: HeldBytes): MetricSource {
  return () => [{ instrument: INSTANCE_INSTRUMENTS.buffered, series: [number([], held.total)] }];
}

function upstreamSource(cells: UpstreamCells, table: () => Table, clock: Clock): MetricSource {
  return () => {
    const upstreams = Object.values(table().pools).flatMap((pool) => pool.upstreams);
    const byName = [...Map.groupBy(upstreams, ({ pool, name }) => `${pool}/${name}`).values()];
    const sumOf = (count: (slot: number) => number) =>
      byName.flatMap((endpoints) => {
        const [first] = endpoints;
        const sum = endpoints.reduce((sum, { slot }) => sum + count(slot), 0);
        return first === undefined ? [] : [number([first.pool, first.name], sum)];
      });
    const { admission } = cells;
    const nowMs = clock.monotonicMs();
    const { upstreamInFlight, upstreamAvoided, upstreamUp } = INSTANCE_INSTRUMENTS;
    return [
      { instrument: upstreamInFlight, series: sumOf((slot) => cells.inFlight(slot)) },
      { instrument: upstreamAvoided, series: sumOf((slot) => Number(admission.isAvoided(slot, nowMs))) },
      { instrument: upstreamUp, series: sumOf((slot) => Number(admission.admission(slot) === 'up')) },
    ];
  };
}

/** What a registry can be asked for. */
export type RegistryCounts = { readonly report: RegistryReport; readonly rejects: number };

/** No watch age before there was any content. */
export function registrySource(registry: RegistryCounts): MetricSource {
  const { registryRevision, registryWatchAge, registryRejected } = INSTANCE_INSTRUMENTS;
  return () => {
    const { revision, watchAgeMs } = registry.report;
    return [
      { instrument: registryRevision, series: [number([], revision)] },
      { instrument: registryWatchAge, series: watchAgeMs === null ? [] : [number([], watchAgeMs / 1000)] },
      { instrument: registryRejected, series: [number([], registry.rejects)] },
    ];
  };
}

/** What the cluster can be asked for. */
export type ClusterCounts = {
  others(): readonly unknown[];
  readonly counts: {
    readonly heeded: number;
    readonly replayed: number;
    readonly crowded: number;
    readonly rejected: number;
  };
};

/** Without a link where the instance is alone. */
export function clusterSource(cluster: ClusterCounts, link: { readonly state: string } | null): MetricSource {
  const { clusterInstances, clusterLink, heartbeats } = INSTANCE_INSTRUMENTS;
  return () => {
    const { heeded, replayed, crowded, rejected } = cluster.counts;
    const results = Object.entries({ heeded, replayed, crowded, rejected });
    return [
      { instrument: clusterInstances, series: [number([], cluster.others().length + 1)] },
      { instrument: clusterLink, series: link === null ? [] : [number([link.state], 1)] },
      { instrument: heartbeats, series: results.map(([result, count]) => number([result], count)) },
    ];
  };
}

/** What the sharing of limits can be asked for. */
export type LimitCounts = { readonly divisor: number; readonly rejected: number };

export function limitSource(table: LimitTable, exchange: LimitCounts, clock: Clock): MetricSource {
  const { limitKeys, limitDivisor, limitRejected } = INSTANCE_INSTRUMENTS;
  return () => [
    { instrument: limitKeys, series: [number([], table.keysInUse(clock.monotonicMs()))] },
    { instrument: limitDivisor, series: [number([], exchange.divisor)] },
    { instrument: limitRejected, series: [number([], exchange.rejected)] },
  ];
}

/** What a configuration that may change can be asked for. */
export type ConfigCounts = {
  readonly report: {
    readonly checksum: string;
    readonly sinceMs: number;
    readonly isLastRefused: boolean;
    readonly applied: number;
    readonly refused: number;
  };
};

export function configSource(config: ConfigCounts): MetricSource {
  const { configReloads, configRefused, configTime } = INSTANCE_INSTRUMENTS;
  return () => {
    const { checksum, sinceMs, isLastRefused, applied, refused } = config.report;
    const results = Object.entries({ applied, refused });
    return [
      { instrument: configReloads, series: results.map(([result, count]) => number([result], count)) },
      { instrument: configRefused, series: [number([], Number(isLastRefused))] },
      { instrument: configTime, series: [number([checksum], sinceMs / 1000)] },
    ];
  };
}

/** Of each file once, however often it is named. `expiries` are wall clock times in milliseconds. */
export function certificateSource(
  certificates: { readonly expiries: ReadonlyMap<string, number> } | null,
  clock: Clock,
): MetricSource {
  return () => {
    const series = [...(certificates?.expiries ?? [])].map(([file, expiresMs]) =>
      number([file], Math.round((expiresMs - clock.wallMs()) / 1000)),
    );
    return [{ instrument: INSTANCE_INSTRUMENTS.certificateExpiry, series }];
  };
}

/** What is known of requests beside what workers count, and what becomes of that knowledge. */
export function telemetrySource(
  readers: readonly RecordReader[],
  states: readonly string[],
  traces: { readonly counts: SpanCounts } | null,
  access: { readonly dropped: number } | null,
): MetricSource {
  const { requestsInState, recordsLost, requestsUnrecorded, spans, accessLogDropped } = INSTANCE_INSTRUMENTS;
  const sumOf = (count: (reader: RecordReader) => number) =>
    readers.reduce((sum, reader) => sum + count(reader), 0);
  return () => {
    const inState = states.map(() => 0);
    for (const reader of readers) reader.countStates(inState);
    const lost = sumOf((reader) => reader.lost);
    const unrecorded = sumOf((reader) => reader.unrecorded);
    return [
      { instrument: requestsInState, series: states.map((state, nth) => number([state], inState[nth] ?? 0)) },
      { instrument: recordsLost, series: [number([], lost)] },
      { instrument: requestsUnrecorded, series: [number([], unrecorded)] },
      {
        instrument: spans,
        series: Object.entries(traces?.counts ?? {}).map(([result, count]) => number([result], count)),
      },
      { instrument: accessLogDropped, series: access === null ? [] : [number([], access.dropped)] },
    ];
  };
}

function processSource(): MetricSource {
  const { processMemory, processCpu } = INSTANCE_INSTRUMENTS;
  return () => {
    const { user, system } = process.cpuUsage();
    return [
      { instrument: processMemory, series: [number([], process.memoryUsage.rss())] },
      { instrument: processCpu, series: [number(['user'], user / 1e6), number(['system'], system / 1e6)] },
    ];
  };
}

function buildSource(): MetricSource {
  const labels = [packageFile.version, process.versions.node];
  return () => [{ instrument: INSTANCE_INSTRUMENTS.buildInfo, series: [number(labels, 1)] }];
}

function number(labels: readonly Label[], value: number): SeriesSum {
  return { labels, numbers: [value] };
}
