import type { MetricData, MetricProducer } from '@opentelemetry/sdk-metrics';
import type { Instrument } from '#core/metric-names.ts';
import { openTelemetry } from './packages.ts';

const { PrometheusSerializer } = openTelemetry('@opentelemetry/exporter-prometheus');

/** Units as words, which end the names of Prometheus' metrics. */
const UNIT_WORDS: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };

/** The name that Prometheus knows a metric by; the series of a histogram add `_bucket`, `_sum` and `_count`. */
export function prometheusName({ name, unit, kind }: Instrument): string {
  const words = [name.replaceAll(/[^a-zA-Z0-9]/g, '_')];
  const unitWord = UNIT_WORDS[unit];
  if (unitWord !== undefined) words.push(unitWord);
  if (kind === 'counter') words.push('total');
  return words.join('_');
}

/** Everything comes from one scope, so nothing is gained by naming it on every line. */
const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);

/** What a producer collects, in Prometheus' text format. */
export async function prometheusText(producer: MetricProducer): Promise<string> {
  const { resourceMetrics } = await producer.collect();
  const { resource, scopeMetrics } = resourceMetrics;
  return serializer.serialize({
    resource,
    scopeMetrics: scopeMetrics.map(({ scope, metrics }) => ({ scope, metrics: metrics.map(withUnitInName) })),
  });
}

/** The serializer leaves out what OpenTelemetry's compatibility rules for Prometheus ask for: the unit. */
function withUnitInName(metric: MetricData): MetricData {
  const { name, unit } = metric.descriptor;
  const word = UNIT_WORDS[unit];
  const descriptor =
    word === undefined
      ? { ...metric.descriptor, unit: '' }
      : { ...metric.descriptor, name: `${name}.${word}`, unit: word };
  return { ...metric, descriptor };
}
