/** What an instance says of the registry that it serves from; in its heartbeat, too. */
export type RegistryReport = {
  /** Of the registry's latest change that it serves; 0 while it serves from its configuration file. */
  readonly revision: number;
  /** Over what is served, in an order of its own: equal for equal registries, whatever their revisions. */
  readonly checksum: string;
  /** Milliseconds since it was last certain that no change is missing; null before there was any content. */
  readonly watchAgeMs: number | null;
};

/** One instance of the cluster, as another one knows it. */
export type MemberView = RegistryReport & {
  readonly id: string;
  readonly version: string;
  /** Since its last heartbeat. */
  readonly lastSeenMs: number;
  /** Since it was first seen behind the latest revision that anybody has told of; 0 when it is not. */
  readonly lagMs: number;
};

/** The instances that share the bus. */
export interface MembershipView {
  /** Without the instance itself. */
  others(): readonly MemberView[];
}
