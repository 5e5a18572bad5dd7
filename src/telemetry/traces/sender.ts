import type { Clock } from '#core/clock.ts';
import type { RequestRecord } from '#core/request-record.ts';
import type { TraceSettings } from '#core/settings.ts';
import type { Log } from '../log.ts';
import { openTelemetry } from '../packages.ts';
import { instanceResource } from '../resource.ts';
import { SCOPE } from '../scope.ts';
import { BusTracer } from './bus-tracer.ts';
import { requestSpans } from './request-spans.ts';
import { type SpanCounts, SpanQueue } from './span-queue.ts';

const { trace } = openTelemetry('@opentelemetry/api');
const { NodeSDK } = openTelemetry('@opentelemetry/sdk-node');
const { AlwaysOnSampler } = openTelemetry('@opentelemetry/sdk-trace');
const { OTLPTraceExporter } = openTelemetry('@opentelemetry/exporter-trace-otlp-proto');

export type SenderOptions = {
  readonly settings: TraceSettings;
  /** What the environment says of this instance; `instance` is its id. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
};

/** Makes spans, and sends them to the collector by OpenTelemetry's SDK. */
export class Sender {
  /** Of what instances tell each other. */
  readonly bus: BusTracer;
  readonly #queue: SpanQueue;
  readonly #resource: ReturnType<typeof instanceResource>;
  readonly #sdk: InstanceType<typeof NodeSDK>;
  readonly #clock: Clock;

  constructor({ settings, attributes, instance, clock, log }: SenderOptions) {
    const { url, headers, timeoutMs } = settings;
    const exporter = new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs });
    this.#queue = new SpanQueue(exporter, settings, clock, log);
    this.#resource = instanceResource(attributes, instance);
    this.#clock = clock;
    // Everything that it would otherwise take from the environment is given: that was read before.
    this.#sdk = new NodeSDK({
      resource: this.#resource,
      autoDetectResources: false,
      spanProcessors: [this.#queue],
      sampler: new AlwaysOnSampler(),
      metricReaders: [],
      logRecordProcessors: [],
      instrumentations: [],
      textMapPropagator: null,
    });
    this.#sdk.start();
    this.bus = new BusTracer(trace.getTracer(SCOPE.name, SCOPE.version));
  }

  get counts(): SpanCounts {
    return this.#queue.counts;
  }

  /** Nothing is made of a request for whose spans there is no room. */
  add(record: RequestRecord): void {
    if (!this.#queue.reserve(1 + record.attempts.length)) return;
    const offsetMs = this.#clock.wallMs() - this.#clock.monotonicMs();
    const source = { resource: this.#resource, scope: SCOPE, wallMs: (ms: number) => ms + offsetMs };
    this.#queue.add(requestSpans(record, source));
  }

  /** Sends what is waiting. */
  async stop(): Promise<void> {
    await this.#queue.forceFlush();
    await this.#sdk.shutdown();
  }
}
