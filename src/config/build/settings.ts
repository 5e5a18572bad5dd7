import type { Settings } from '#core/settings.ts';
import { SPARE_WORKERS } from '#shared/state.ts';
import { WORKERS_MAX } from '#shared/upstream-cells.ts';
import type { Environment } from '../env.ts';
import type { Config } from '../schema.ts';
import { buildAccounts } from './accounts.ts';
import { buildBus, buildInstance } from './cluster.ts';
import { buildDatabase } from './database.ts';
import { buildJwt } from './jwt.ts';
import { readOtel } from './otel.ts';
import { buildServerTls } from './server-tls.ts';

/** What settings depend on beside the configuration. */
export type Surroundings = {
  /** What `workers: auto` stands for. */
  readonly cores: number;
  /** What the process may have. */
  readonly memoryBytes: number;
  /** The machine's name. */
  readonly host: string;
  /** Has the secrets that stand in no file. */
  readonly env: Environment;
  /** Where relative paths start. */
  readonly folder: string;
  /** What stands in a file of its own. */
  readonly commonPasswords: readonly string[];
};

export function buildSettings(config: Config, surroundings: Surroundings): Settings {
  const { cores, memoryBytes, host, env, folder, commonPasswords } = surroundings;
  const { server, admin, limits, upstream_connections, shutdown, metrics, actors, log, telemetry } = config;
  const { traces, sampler, resource } = readOtel(env);
  const instance = buildInstance(config, env, host);
  return {
    instance,
    bus: buildBus(config, env, instance, folder),
    server: {
      address: server.listen_address,
      port: server.listen_port,
      workers: server.workers === 'auto' ? Math.min(cores, WORKERS_MAX - SPARE_WORKERS) : server.workers,
      maxConnections: server.max_connections,
      connectionsPerClientMax: server.connections_per_client_max,
      overload: { lagMs: server.overload.lag_ms },
      bufferedBytesMax: server.buffered_bytes_max === 'auto' ? memoryBytes / 4 : server.buffered_bytes_max,
      trustedProxies: server.trusted_proxies,
      proxyProtocol: server.proxy_protocol,
      keepAliveMs: server.keep_alive_ms,
      headMs: server.head_ms,
      headBytesMax: server.head_bytes_max,
      headerCountMax: server.header_count_max,
      targetBytesMax: server.target_bytes_max,
      rateWindowMs: server.rate_window_ms,
      requestsPerConnectionMax: server.requests_per_connection_max,
      tls: buildServerTls(server.tls, folder),
    },
    admin: { ...admin.listen, token: admin.token ?? null },
    limits: { keysMax: limits.max_keys, ipv6PrefixBits: limits.ipv6_prefix },
    upstreamConnections: {
      transport: upstream_connections.transport,
      connectionsMax: upstream_connections.max,
      keepAliveMs: upstream_connections.keep_alive_ms,
      responseHeadBytesMax: upstream_connections.response_head_bytes_max,
      responseHeaderCountMax: upstream_connections.response_header_count_max,
    },
    dnsServers: config.dns.servers,
    shutdown: { lameDuckMs: shutdown.lame_duck_ms, graceMs: shutdown.grace_ms },
    metrics,
    actors,
    log,
    telemetry: {
      requestsKept: telemetry.requests_kept,
      slowMs: telemetry.slow_ms,
      trustIncoming: telemetry.trust_incoming,
      traceUrl: telemetry.trace_url ?? null,
      sampler,
      resource,
    },
    traces,
    jwt: buildJwt(config, env),
    accounts: buildAccounts(config, commonPasswords),
    database: buildDatabase(config, env),
  };
}
