import type { Ejection, HealthCheck } from '#core/health/check.ts';

export const SAMPLE_EJECTION: Ejection = { baseMs: 30_000, maxMs: 300_000, shareMax: 0.1 };

/** A check of connections, once a second, with whatever a test wants different. */
export function sampleCheck(changes: Partial<HealthCheck> = {}): HealthCheck {
  return {
    probe: { kind: 'tcp' },
    port: null,
    pace: { intervalMs: 1000, timeoutMs: 500, jitter: 0 },
    thresholds: { healthy: 1, unhealthy: 2 },
    isUpAtFirst: false,
    ...changes,
  };
}
