import type { Quota } from '../table.ts';

/** Tells quotas apart, in 32 bits. They come from the configuration, not from clients, so it needs no secret. */
export function quotaPrint(quota: Quota): number {
  const burst = quota.kind === 'gcra' ? quota.burst : 0;
  return (
    Math.imul(quota.requests, 0x9e3779b1) ^
    Math.imul(quota.windowMs, 0x85ebca6b) ^
    Math.imul(burst, 0xc2b2ae35)
  );
}

/** One instance's part of a quota that `instances` share and cannot agree on: at least one request. */
export function shareOf(quota: Quota, instances: number): Quota {
  if (instances <= 1) return quota;
  const requests = Math.max(1, Math.floor(quota.requests / instances));
  return quota.kind === 'gcra'
    ? { ...quota, requests, burst: Math.max(1, Math.floor(quota.burst / instances)) }
    : { ...quota, requests };
}
