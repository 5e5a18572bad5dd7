/**
 * Balancing: which of a pool's upstreams a request goes to. A strategy is one worker's; what must be
 * exact over all workers (turns, requests in flight, latency) it reads through a `LoadView`.
 */

import type { Upstream } from '#core/table.ts';

/** The upstreams that may be picked now. Another object whenever a member or a weight has changed. */
export type Candidates = {
  readonly upstreams: readonly Upstream[];
  /** All of the pool, those left out for now included; the same array for as long as the pool stays as it is. */
  readonly members: readonly Upstream[];
  readonly poolSlot: number;
};

export type PickRequest = {
  /** Hash of the request's key (`ringHash`); read by consistent_hash alone. */
  readonly keyHash: number;
  /** Where this request has been already. */
  readonly tried: readonly Upstream[];
};

export interface Strategy {
  /**
   * Undefined only if there is no candidate left to try. The caller counts the request as in flight
   * before it asks again: least_conn and p2c_ewma go by that count.
   */
  pick(candidates: Candidates, request: PickRequest): Upstream | undefined;
}

export interface LoadView {
  /** Requests that the slot's upstream is serving, over all workers. */
  inFlight(slot: number): number;
  /** Estimated latency now; 0 while nothing has been measured. */
  latencyMs(slot: number): number;
  /** 0, 1, 2 … below 2^32, each number once over all workers. */
  nextTurn(poolSlot: number): number;
}
