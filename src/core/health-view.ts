import type { Upstream } from './table.ts';

/** What is known of upstreams' health, for those who show it. */
export interface HealthView {
  of(upstream: Upstream): UpstreamHealth;
}

export type UpstreamHealth = {
  /** What the cluster concludes from all fresh opinions. */
  readonly verdict: 'up' | 'down' | 'unknown';
  readonly opinions: readonly OpinionView[];
};

export type OpinionView = {
  /** Id of the instance whose opinion it is. */
  readonly instance: string;
  readonly verdict: 'up' | 'down';
  readonly reason: string;
  /** Since it was last heard. */
  readonly ageMs: number;
};
