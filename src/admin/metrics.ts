import type { MetricsSettings } from '#core/settings.ts';
import { type MetricsText, PROMETHEUS_CONTENT_TYPE } from '#telemetry/metrics-text.ts';
import type { AdminRoutes } from './api.ts';

/** The metrics, where they are wanted at all, beside the admin API and as well guarded. */
export function metricsRoutes(
  { enabled, endpoint }: MetricsSettings,
  metrics: Pick<MetricsText, 'read'>,
): AdminRoutes {
  if (!enabled) return new Map();
  const answer = async () => ({
    status: 200,
    contentType: PROMETHEUS_CONTENT_TYPE,
    body: await metrics.read(),
  });
  return new Map([[`GET ${endpoint}`, answer]]);
}
