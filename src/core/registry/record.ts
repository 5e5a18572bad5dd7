import { isDeepStrictEqual } from 'node:util';
import { type Endpoint, formatEndpoint } from '../endpoint.ts';
import type { Upstream } from '../table.ts';

/**
 * What the registry says of one upstream: all that serving it takes, so that every instance serves it alike,
 * whatever its own configuration says.
 */
export type UpstreamRecord = UpstreamDraft & {
  readonly state: Upstream['state'];
  /** Overrides the pool's, milliseconds; null where it does not. */
  readonly drainMs: number | null;
};

/** An upstream as a configuration or a person describes it: nothing is said of its state yet. */
export type UpstreamDraft = Omit<Upstream, 'slot' | 'state' | 'drainMs' | 'hostName'>;

export type UpstreamId = Pick<UpstreamRecord, 'pool' | 'name'>;

/** Different for different upstreams: a `/` is in no name. */
export function idOf({ pool, name }: UpstreamId): string {
  return `${pool}/${name}`;
}

export type EndpointId = Pick<Upstream, 'pool' | 'name' | 'address' | 'hostName'>;

/** Different also for the endpoints of one upstream, in every instance the same. */
export function endpointIdOf(upstream: EndpointId): string {
  const { hostName, address } = upstream;
  return hostName === undefined ? idOf(upstream) : `${idOf(upstream)}/${address}`;
}

/** What was found out of one place says nothing of another, even if the upstream has only moved there. */
export function placeIdOf(upstream: UpstreamId & Endpoint): string {
  return `${idOf(upstream)}/${formatEndpoint(upstream)}`;
}

/** Parts an upstream from what only a table, or the registry, knows of it. */
export function draftOf(upstream: UpstreamDraft): UpstreamDraft {
  const { pool, name, address, port, weight, tls, protocol, host, inFlightMax } = upstream;
  return { pool, name, address, port, weight, tls, protocol, host, inFlightMax };
}

/** The draft as a record; what an operator said of the upstream before stays said. */
export function recordOf(draft: UpstreamDraft, before: UpstreamRecord | undefined): UpstreamRecord {
  return { ...draft, state: before?.state ?? 'ready', drainMs: before?.drainMs ?? null };
}

export function areEqual(a: UpstreamRecord, b: UpstreamRecord): boolean {
  return isDeepStrictEqual(a, b);
}

/** By pool, then by name, in the order of their code units: the same everywhere. */
export function inOrder<Id extends UpstreamId>(records: Iterable<Id>): Id[] {
  return [...records].sort((a, b) => compare(a.pool, b.pool) || compare(a.name, b.name));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
