import type { z } from 'zod';
import type { HealthCheck, HttpProbe, Probe } from '#core/health/check.ts';
import {
  type HealthCheck as HealthCheckSchema,
  INTERVAL_MS_DEFAULT,
  TIMEOUT_MS_DEFAULT,
} from '../schema/health-check.ts';

type HealthCheckConfig = z.output<typeof HealthCheckSchema>;
type StatusConfig = NonNullable<HealthCheckConfig['expected_status']>;

/** Null where nothing is probed. */
export function buildHealthCheck(check: HealthCheckConfig | undefined): HealthCheck | null {
  if (check === undefined || check.type === 'none') return null;
  const intervalMs = check.interval_ms ?? INTERVAL_MS_DEFAULT;
  return {
    probe: buildProbe(check),
    port: check.port ?? null,
    pace: {
      intervalMs,
      timeoutMs: check.timeout_ms ?? Math.min(intervalMs, TIMEOUT_MS_DEFAULT),
      jitter: check.jitter ?? 0.1,
    },
    thresholds: { healthy: check.healthy_threshold ?? 1, unhealthy: check.unhealthy_threshold ?? 2 },
    isUpAtFirst: check.initial === 'up',
  };
}

function buildProbe(check: HealthCheckConfig): Probe {
  if (check.type === 'http') return { kind: 'http', ...buildHttpProbe(check) };
  return check.type === 'grpc' ? { kind: 'grpc', service: check.service ?? '' } : { kind: 'tcp' };
}

function buildHttpProbe({ method, path, headers, expected_status, body }: HealthCheckConfig): HttpProbe {
  return {
    method: method ?? 'GET',
    path: path ?? '/',
    headers: Object.entries(headers ?? {}),
    expected: { statuses: buildStatuses(expected_status ?? '200-399'), text: body ?? null },
  };
}

function buildStatuses(expected: StatusConfig): [first: number, last: number][] {
  return (Array.isArray(expected) ? expected : [expected]).map((status) => {
    const [first, last] = String(status).split('-').map(Number);
    return [Number(first), last ?? Number(first)];
  });
}
