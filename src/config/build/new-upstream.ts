import type { UpstreamDraft } from '#core/registry/record.ts';
import type { UpstreamProtocol } from '#core/table.ts';
import type { Config } from '../schema.ts';
import { buildUpstream, type UpstreamDefaults } from './upstream.ts';

/** An upstream as it is described to a running instance. */
export type GivenUpstream = {
  /** Default: `address:port`. */
  readonly name?: string | undefined;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  /** Default: as the pool says. */
  readonly tls?: boolean | undefined;
  /** Default: as the pool says. */
  readonly protocol?: UpstreamProtocol | undefined;
  /** Default: as the pool says. */
  readonly in_flight_max?: number | undefined;
};

/** Makes of it what the configuration file would have made of it in that pool. */
export type NewUpstream = (pool: string, given: GivenUpstream) => UpstreamDraft;

/** `pemByName` has the contents of every `ca_file`. */
export function newUpstreams(config: Config, pemByName: ReadonlyMap<string, string>): NewUpstream {
  return (pool, given) => ({ pool, ...buildUpstream(given, defaultsOf(config, pool), pemByName) });
}

/** None for a pool that the configuration does not have. */
function defaultsOf({ load_balancing, pools }: Config, pool: string): UpstreamDefaults {
  const known =
    pool === 'default' ? load_balancing : Object.entries(pools).find(([name]) => name === pool)?.[1];
  return known ?? {};
}
