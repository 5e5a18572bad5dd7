import type { MetricProducer } from '@opentelemetry/sdk-metrics';
import type { MetricsSettings } from '#core/settings.ts';
import { PROMETHEUS_CONTENT_TYPE, prometheusText } from '#telemetry/prometheus.ts';
import type { AdminRoutes } from './api.ts';

/** The metrics, where they are wanted at all, beside the admin API and as well guarded. */
export function metricsRoutes({ enabled, endpoint }: MetricsSettings, metrics: MetricProducer): AdminRoutes {
  if (!enabled) return new Map();
  const answer = async () => ({
    status: 200,
    contentType: PROMETHEUS_CONTENT_TYPE,
    body: await prometheusText(metrics),
  });
  return new Map([[`GET ${endpoint}`, answer]]);
}
