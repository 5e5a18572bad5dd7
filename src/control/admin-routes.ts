import type { Accounts } from '#accounts/accounts.ts';
import type { AdminRoutes } from '#admin/api.ts';
import { clusterRoutes } from '#admin/cluster.ts';
import { keysRoutes } from '#admin/keys.ts';
import { logLevelRoutes } from '#admin/log-level.ts';
import { metricsRoutes } from '#admin/metrics.ts';
import { reloadRoutes } from '#admin/reload.ts';
import { requestsRoutes } from '#admin/requests.ts';
import { probeRoutes } from '#admin/routes.ts';
import { upstreamsRoutes } from '#admin/upstreams.ts';
import { usersRoutes } from '#admin/users.ts';
import type { MetricsText } from '#telemetry/metrics-text.ts';
import type { Telemetry } from '#telemetry/telemetry.ts';
import packageFile from '../../package.json' with { type: 'json' };
import type { Cluster, ClusterOptions } from './cluster.ts';
import type { Reloads } from './reloads.ts';

export type AdminRoutesOptions = Pick<ClusterOptions, 'config' | 'shared' | 'instance' | 'clock' | 'log'> & {
  readonly isReady: () => boolean;
  readonly cluster: Cluster;
  readonly accounts: Accounts | null;
  readonly reloads: Reloads;
  readonly metrics: MetricsText;
  readonly requests: Telemetry['requests'];
};

/** All that the admin API shows and changes, each by the part of the instance that it belongs to. */
export function adminRoutes(options: AdminRoutesOptions): AdminRoutes {
  const { config, shared, instance, isReady, accounts, reloads, metrics, requests, clock, log } = options;
  const { registry, edits, tables, health, link } = options.cluster;
  const { settings } = config;
  const tabled = (deadlineMs: number) => tables.settled(deadlineMs);
  // The API's own paths win over a configured one.
  return new Map([
    ...metricsRoutes(settings.metrics, metrics),
    ...probeRoutes(isReady),
    ...upstreamsRoutes({
      registry,
      edits,
      health,
      table: () => tables.table,
      tabled,
      inFlight: (slot) => shared.upstreams.inFlight(slot),
      newUpstream: (pool, given) => reloads.config.newUpstream(pool, given),
    }),
    ...clusterRoutes({
      instance,
      version: packageFile.version,
      link,
      registry,
      membership: health,
      config: reloads,
    }),
    ...reloadRoutes({ reloads, tabled }),
    ...requestsRoutes({ requests, traceUrl: settings.telemetry.traceUrl, clock }),
    ...logLevelRoutes(log),
    ...keysRoutes(accounts?.authority ?? null),
    ...usersRoutes(accounts?.administration ?? null),
  ]);
}
