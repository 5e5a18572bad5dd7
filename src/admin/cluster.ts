import type { ConfigReport } from '#control/reloads.ts';
import type { MembershipView, MemberView, RegistryReport } from '#core/cluster-view.ts';
import { type AdminRoutes, json } from './api.ts';

export type ClusterView = {
  readonly instance: string;
  readonly version: string;
  /** Null where the instance is alone. */
  readonly link: { readonly state: string } | null;
  readonly registry: { readonly report: RegistryReport };
  readonly membership: MembershipView;
  readonly config: { readonly report: ConfigReport };
};

/** Who is there, and whether all serve the same: then their checksums are equal. */
export function clusterRoutes(view: ClusterView): AdminRoutes {
  return new Map([['GET /api/cluster', () => json(200, describe(view))]]);
}

function describe({ instance, version, link, registry, membership, config }: ClusterView) {
  const { report } = registry;
  const { revision, checksum, watchAgeMs } = report;
  const state = stateOf(link);
  // What it has missed since it was cut off, nobody can tell it.
  const lagMs = state === 'isolated' ? (watchAgeMs ?? 0) : 0;
  const own = { ...report, id: instance, version, lastSeenMs: 0, lagMs };
  const members = [own, ...membership.others()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    instance,
    bus: state,
    revision,
    checksum,
    config: describeConfig(config.report),
    instances: members.map(describeMember),
  };
}

/** Of this instance alone. */
function describeConfig({ file, checksum, sinceMs, isLastRefused }: ConfigReport) {
  return { file, checksum, since_ms: sinceMs, last_reload_refused: isLastRefused };
}

/** Isolated as well until the others were heard after a separation. */
function stateOf(link: ClusterView['link']): 'none' | 'synced' | 'isolated' {
  if (link === null) return 'none';
  return link.state === 'synced' ? 'synced' : 'isolated';
}

function describeMember({ id, revision, checksum, lagMs, lastSeenMs, version, watchAgeMs }: MemberView) {
  return {
    id,
    revision,
    checksum,
    lag_ms: Math.round(lagMs),
    last_seen_ms: Math.round(lastSeenMs),
    version,
    watch_age_ms: watchAgeMs,
  };
}
