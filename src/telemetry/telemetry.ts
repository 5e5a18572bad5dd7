import { getHeapStatistics } from 'node:v8';
import { REQUEST_STATES } from '#actors/request/states.ts';
import { type Clock, punctualClock } from '#core/clock.ts';
import type { Settings } from '#core/settings.ts';
import type { SharedState } from '#shared/state.ts';
import { watchThread } from '#shared/watch-thread.ts';
import { AccessLog } from './access-log.ts';
import type { Log } from './log.ts';
import { type MetricSource, telemetrySource } from './metric-sources.ts';
import { RecordFeed, type RecordSink } from './record-feed.ts';
import { RequestLookup } from './request-lookup.ts';
import { Traces } from './traces/traces.ts';

export type TelemetryOptions = {
  readonly settings: Pick<Settings, 'telemetry' | 'traces' | 'log'>;
  readonly shared: Pick<SharedState, 'records' | 'metrics'>;
  /** Id of this instance. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
};

type Opened = Pick<Telemetry, 'requests' | 'metrics'> & { readonly parts: AsyncDisposableStack };

/** What an instance says of the requests that it has served, to whoever wants to hear it. */
export class Telemetry implements AsyncDisposable {
  readonly requests: RequestLookup;
  readonly metrics: MetricSource;
  readonly #parts: AsyncDisposableStack;

  static async open(options: TelemetryOptions): Promise<Telemetry> {
    const { settings, shared, instance, clock, log } = options;
    const { resource: attributes } = settings.telemetry;
    await using parts = new AsyncDisposableStack();
    const traces =
      settings.traces &&
      parts.use(new Traces({ settings: settings.traces, attributes, instance, clock, log }));
    const sinks: RecordSink[] = [];
    if (traces !== null) sinks.push((record) => traces.add(record));
    const access = settings.log.access ? parts.use(new AccessLog(clock)) : null;
    if (access !== null) sinks.push((record) => access.add(record));
    const readers = shared.records.readers(REQUEST_STATES);
    if (sinks.length > 0) parts.use(new RecordFeed(readers, sinks, clock));
    const heapBytes = () => getHeapStatistics().used_heap_size;
    parts.use(watchThread(shared.metrics.ofControl, 'control', heapBytes, punctualClock));
    const metrics = telemetrySource(readers, REQUEST_STATES, traces, access);
    return new Telemetry({ requests: new RequestLookup(readers), metrics, parts: parts.move() });
  }

  private constructor({ requests, metrics, parts }: Opened) {
    this.requests = requests;
    this.metrics = metrics;
    this.#parts = parts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}
