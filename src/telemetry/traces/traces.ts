import type { Resource } from '@opentelemetry/resources';
import { type Clock, sleep } from '#core/clock.ts';
import type { RequestRecord } from '#core/request-record.ts';
import type { TraceSettings } from '#core/settings.ts';
import type { Log } from '../log.ts';
import { SCOPE } from '../scope.ts';
import { traceBus } from './bus-spans.ts';
import { requestSpans } from './request-spans.ts';
import { type SpanCounts, SpanQueue } from './span-queue.ts';

/** What is still waiting when an instance stops may take that long; then it is lost. */
const LAST_FLUSH_MS = 3_000;

export type TracesOptions = {
  readonly settings: TraceSettings;
  readonly resource: Resource;
  readonly clock: Clock;
  readonly log: Log;
};

/** Sends the spans of requests to a collector. */
export class Traces implements AsyncDisposable {
  readonly #queue: SpanQueue;
  readonly #resource: Resource;
  readonly #clock: Clock;
  readonly #stop: () => Promise<void>;

  /** Loads OpenTelemetry's SDK, which nobody else needs. */
  static async open({ settings, resource, clock, log }: TracesOptions): Promise<Traces> {
    const [{ NodeSDK }, { trace }, { OTLPTraceExporter }, { AlwaysOnSampler }, { BusTracer }] =
      await Promise.all([
        import('@opentelemetry/sdk-node'),
        import('@opentelemetry/api'),
        import('@opentelemetry/exporter-trace-otlp-proto'),
        import('@opentelemetry/sdk-trace'),
        import('./bus-tracer.ts'),
      ]);
    const { url, headers, timeoutMs } = settings;
    const exporter = new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs });
    const queue = new SpanQueue(exporter, settings, clock, log);
    // Everything that it would otherwise take from the environment is given: that was read before.
    const sdk = new NodeSDK({
      resource,
      autoDetectResources: false,
      spanProcessors: [queue],
      sampler: new AlwaysOnSampler(),
      metricReaders: [],
      logRecordProcessors: [],
      instrumentations: [],
      textMapPropagator: null,
    });
    sdk.start();
    traceBus(new BusTracer(trace.getTracer(SCOPE.name, SCOPE.version)));
    return new Traces(queue, resource, clock, () => sdk.shutdown());
  }

  private constructor(queue: SpanQueue, resource: Resource, clock: Clock, stop: () => Promise<void>) {
    this.#queue = queue;
    this.#resource = resource;
    this.#clock = clock;
    this.#stop = stop;
  }

  get counts(): SpanCounts {
    return this.#queue.counts;
  }

  /** Nothing is made of a request that is not to be traced, or for whose spans there is no room. */
  add(record: RequestRecord): void {
    if (!record.isTraced || !this.#queue.reserve(1 + record.attempts.length)) return;
    const offsetMs = this.#clock.wallMs() - this.#clock.monotonicMs();
    const source = { resource: this.#resource, scope: SCOPE, wallMs: (ms: number) => ms + offsetMs };
    this.#queue.add(requestSpans(record, source));
  }

  /** Sends what is waiting, in a bounded time. */
  async [Symbol.asyncDispose](): Promise<void> {
    traceBus(null);
    const late = new AbortController();
    const stopped = this.#queue.forceFlush().then(() => this.#stop());
    await Promise.race([stopped, sleep(this.#clock, LAST_FLUSH_MS, late.signal)]);
    late.abort();
  }
}
