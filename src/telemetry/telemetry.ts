import { getHeapStatistics } from 'node:v8';
import type { Resource } from '@opentelemetry/resources';
import { REQUEST_STATES } from '#actors/request/states.ts';
import type { Clock } from '#core/clock.ts';
import type { Settings } from '#core/settings.ts';
import type { SharedState } from '#shared/state.ts';
import { watchThread } from '#shared/watch-thread.ts';
import { AccessLog } from './access-log.ts';
import type { Log } from './log.ts';
import { type MetricSource, telemetrySource } from './metric-sources.ts';
import { RecordFeed, type RecordSink } from './record-feed.ts';
import { RequestLookup } from './request-lookup.ts';
import { instanceResource } from './resource.ts';
import { Traces } from './traces/traces.ts';

export type TelemetryOptions = {
  readonly settings: Pick<Settings, 'telemetry' | 'traces' | 'log'>;
  readonly shared: Pick<SharedState, 'records' | 'metrics'>;
  /** Id of this instance. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
};

type Opened = Pick<Telemetry, 'resource' | 'requests' | 'metrics'> & { readonly parts: AsyncDisposableStack };

/** What an instance says of the requests that it has served, to whoever wants to hear it. */
export class Telemetry implements AsyncDisposable {
  /** Who is speaking. */
  readonly resource: Resource;
  readonly requests: RequestLookup;
  readonly metrics: MetricSource;
  readonly #parts: AsyncDisposableStack;

  static async open(options: TelemetryOptions): Promise<Telemetry> {
    const { settings, shared, instance, clock, log } = options;
    await using parts = new AsyncDisposableStack();
    const resource = instanceResource(settings.telemetry.resource, instance);
    const traces =
      settings.traces === null
        ? null
        : parts.use(await Traces.open({ settings: settings.traces, resource, clock, log }));
    const sinks: RecordSink[] = [];
    if (traces !== null) sinks.push((record) => traces.add(record));
    const access = settings.log.access ? parts.use(new AccessLog(clock)) : null;
    if (access !== null) sinks.push((record) => access.add(record));
    const readers = shared.records.readers(REQUEST_STATES);
    if (sinks.length > 0) parts.use(new RecordFeed(readers, sinks, clock));
    const heapBytes = () => getHeapStatistics().used_heap_size;
    parts.use(watchThread(shared.metrics.ofControl, 'control', heapBytes, clock));
    const metrics = telemetrySource(readers, REQUEST_STATES, traces, access);
    return new Telemetry({ resource, requests: new RequestLookup(readers), metrics, parts: parts.move() });
  }

  private constructor({ resource, requests, metrics, parts }: Opened) {
    this.resource = resource;
    this.requests = requests;
    this.metrics = metrics;
    this.#parts = parts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}
