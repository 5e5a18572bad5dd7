import type { TelemetrySettings, UpstreamConnectionSettings, WorkerSettings } from '#core/settings.ts';

/** Settings of workers on this machine, on a port that the system chooses. */
export function sampleSettings(workers = 1): WorkerSettings {
  return {
    server: {
      address: '127.0.0.1',
      port: 0,
      workers,
      maxConnections: 100,
      connectionsPerClientMax: 100,
      overload: { lagMs: 0 },
      bufferedBytesMax: 1_000_000,
      trustedProxies: [],
      proxyProtocol: false,
      keepAliveMs: 75_000,
      headMs: 10_000,
      headBytesMax: 16_384,
      headerCountMax: 256,
      targetBytesMax: 8_192,
      rateWindowMs: 10_000,
      requestsPerConnectionMax: 10_000,
      tls: null,
    },
    limits: { keysMax: 64, ipv6PrefixBits: 64 },
    upstreamConnections: sampleUpstreamConnections(),
    metrics: { enabled: true, listener: 'admin', endpoint: '/metrics' },
    actors: { runtime: 'compiled' },
    log: { level: 'info', access: false },
    telemetry: sampleTelemetry(),
  };
}

/** Few, which live long; what a test wants different. */
export function sampleUpstreamConnections(
  changes: Partial<UpstreamConnectionSettings> = {},
): UpstreamConnectionSettings {
  return {
    transport: 'h1',
    connectionsMax: 8,
    keepAliveMs: 60_000,
    responseHeadBytesMax: 65_536,
    responseHeaderCountMax: 1024,
    ...changes,
  };
}

/** Nothing is exported; what a test wants different. */
export function sampleTelemetry(changes: Partial<TelemetrySettings> = {}): TelemetrySettings {
  return {
    requestsKept: 16,
    slowMs: 1000,
    trustIncoming: 'trusted_proxies',
    sampler: null,
    traceUrl: null,
    resource: { 'service.name': 'signalbox' },
    ...changes,
  };
}
