import type { Attributes, HrTime } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { CollectionResult, DataPoint, MetricData, MetricProducer } from '@opentelemetry/sdk-metrics';
import type { Clock } from '#core/clock.ts';
import { type Instrument, OVERFLOW_ATTRIBUTE } from '#core/metric-names.ts';
import type { SeriesSum } from '#shared/metric-cells.ts';
import type { Metric, MetricSource } from './metric-sources.ts';
import { openTelemetry } from './packages.ts';
import { SCOPE } from './scope.ts';

const { ValueType } = openTelemetry('@opentelemetry/api');
const { AggregationTemporality, DataPointType } = openTelemetry('@opentelemetry/sdk-metrics');

type Span = { readonly startTime: HrTime; readonly endTime: HrTime };

/** All metrics of an instance, in the form that OpenTelemetry's readers and exporters take. */
export class InstanceMetrics implements MetricProducer {
  readonly #resource: Resource;
  readonly #sources: readonly MetricSource[];
  readonly #clock: Clock;
  readonly #startTime: HrTime;

  /** `resource` says who is speaking, and has counted since `startMs` of the wall clock. */
  constructor(resource: Resource, sources: readonly MetricSource[], startMs: number, clock: Clock) {
    this.#resource = resource;
    this.#sources = sources;
    this.#clock = clock;
    this.#startTime = hrTime(startMs);
  }

  async collect(): Promise<CollectionResult> {
    const span = { startTime: this.#startTime, endTime: hrTime(this.#clock.wallMs()) };
    const metrics = this.#sources.flatMap((read) => read()).map((metric) => metricData(metric, span));
    return {
      resourceMetrics: { resource: this.#resource, scopeMetrics: [{ scope: SCOPE, metrics }] },
      errors: [],
    };
  }
}

function metricData({ instrument, series }: Metric, span: Span): MetricData {
  const { name, unit, description, kind } = instrument;
  const base = {
    descriptor: { name, unit, description, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  const points = <Value>(read: (numbers: readonly number[]) => Value): DataPoint<Value>[] =>
    series.map((it) => ({ ...span, attributes: attributes(instrument, it), value: read(it.numbers) }));
  const single = ([value = 0]: readonly number[]) => value;

  switch (kind) {
    case 'histogram': {
      const dataPoints = points((numbers) => histogram(instrument.bounds, numbers));
      return { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints };
    }
    case 'gauge':
      return { ...base, dataPointType: DataPointType.GAUGE, dataPoints: points(single) };
    case 'counter':
    case 'up_down_counter': {
      const isMonotonic = kind === 'counter';
      return { ...base, dataPointType: DataPointType.SUM, isMonotonic, dataPoints: points(single) };
    }
  }
}

function attributes({ attributes: names }: Instrument, { labels }: SeriesSum): Attributes {
  if (labels === null) return { [OVERFLOW_ATTRIBUTE]: true };
  return Object.fromEntries(names.map((name, index) => [name, labels[index] ?? '']));
}

/** From a row's numbers: a count for every bucket, then the sum. */
function histogram(bounds: readonly number[], numbers: readonly number[]) {
  const counts = numbers.slice(0, -1);
  const count = counts.reduce((sum, inBucket) => sum + inBucket, 0);
  return { buckets: { boundaries: [...bounds], counts }, count, sum: numbers.at(-1) ?? 0 };
}

function hrTime(wallMs: number): HrTime {
  return [Math.floor(wallMs / 1000), Math.round((wallMs % 1000) * 1e6)];
}
