import type { Settings } from '#core/settings.ts';
import { WORKERS_MAX } from '#shared/upstream-cells.ts';
import type { Environment } from '../env.ts';
import type { Config } from '../schema.ts';
import { buildAccounts } from './accounts.ts';
import { buildDatabase } from './database.ts';
import { buildJwt } from './jwt.ts';

/**
 * `cores` is what `workers: auto` stands for, `env` has the secrets that stand in no file, `commonPasswords`
 * what stands in a file of its own.
 */
export function buildSettings(
  config: Config,
  cores: number,
  env: Environment,
  commonPasswords: readonly string[],
): Settings {
  const { server, admin, limits, upstream_connections, shutdown, metrics, actors, log } = config;
  return {
    server: {
      address: server.listen_address,
      port: server.listen_port,
      workers: server.workers === 'auto' ? Math.min(cores, WORKERS_MAX) : server.workers,
      maxConnections: server.max_connections,
      trustedProxies: server.trusted_proxies,
      keepAliveMs: server.keep_alive_ms,
      headMs: server.head_ms,
      headBytesMax: server.head_bytes_max,
    },
    admin: { ...admin.listen, token: admin.token ?? null },
    limits: { keysMax: limits.max_keys, ipv6PrefixBits: limits.ipv6_prefix },
    upstreamConnections: {
      connectionsMax: upstream_connections.max,
      keepAliveMs: upstream_connections.keep_alive_ms,
    },
    shutdown: { lameDuckMs: shutdown.lame_duck_ms, graceMs: shutdown.grace_ms },
    metrics,
    actors,
    log,
    jwt: buildJwt(config, env),
    accounts: buildAccounts(config, commonPasswords),
    database: buildDatabase(config, env),
  };
}
