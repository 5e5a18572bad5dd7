import type { Clock } from '#core/clock.ts';
import type { MetricSource } from './metric-sources.ts';

/** Prometheus' text format, which scrapers know by this type. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * All metrics of an instance, as text for a scraper. What makes the text is loaded when somebody asks for it the
 * first time: OpenTelemetry's packages take 25 MB, and a tenth of a second of an instance's start.
 */
export class MetricsText {
  readonly #attributes: Readonly<Record<string, string>>;
  readonly #instance: string;
  readonly #sources: readonly MetricSource[];
  readonly #clock: Clock;
  readonly #startMs: number;
  #loaded: Promise<() => Promise<string>> | null = null;

  /** `attributes` are OpenTelemetry's of the resource, as the environment gives them; `instance` is its id. */
  constructor(
    attributes: Readonly<Record<string, string>>,
    instance: string,
    sources: readonly MetricSource[],
    clock: Clock,
  ) {
    this.#attributes = attributes;
    this.#instance = instance;
    this.#sources = sources;
    this.#clock = clock;
    this.#startMs = clock.wallMs();
  }

  async read(): Promise<string> {
    this.#loaded ??= this.#load();
    const text = await this.#loaded;
    return text();
  }

  async #load(): Promise<() => Promise<string>> {
    const [{ InstanceMetrics }, { prometheusText }, { instanceResource }] = await Promise.all([
      import('./metric-producer.ts'),
      import('./prometheus.ts'),
      import('./resource.ts'),
    ]);
    const resource = instanceResource(this.#attributes, this.#instance);
    const metrics = new InstanceMetrics(resource, this.#sources, this.#startMs, this.#clock);
    return () => prometheusText(metrics);
  }
}
