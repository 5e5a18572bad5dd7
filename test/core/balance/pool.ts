import type { Candidates, LoadView, PickRequest, Strategy } from '#core/balance/strategy.ts';
import type { Upstream } from '#core/table.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';

/** Upstreams a, b, c … of these weights, in slots 0, 1, 2 … */
export function upstreams(...weights: readonly number[]): readonly Upstream[] {
  return weights.map((weight, slot) => upstream(nameOf(slot), weight, slot));
}

export function upstream(name: string, weight: number, slot: number): Upstream {
  return sampleUpstream({ name, port: 3000 + slot, weight, slot });
}

export function candidates(members: readonly Upstream[], present = members): Candidates {
  return { upstreams: present, members, poolSlot: 0 };
}

/** Load as a test says; nothing in flight and nothing measured unless it does. */
export class FixedLoad implements LoadView {
  readonly requests = new Map<number, number>();
  readonly latencies = new Map<number, number>();
  #turn = 0;

  inFlight(slot: number): number {
    return this.requests.get(slot) ?? 0;
  }

  latencyMs(slot: number): number {
    return this.latencies.get(slot) ?? 0;
  }

  nextTurn(): number {
    return this.#turn++;
  }
}

export function request(tried: readonly Upstream[] = [], keyHash = 0): PickRequest {
  return { tried, keyHash };
}

/** The names of so many picks in a row. */
export function pickNames(strategy: Strategy, from: Candidates, count: number, asking = request()): string[] {
  return Array.from({ length: count }, () => strategy.pick(from, asking)?.name ?? 'none');
}

export function countNames(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function nameOf(slot: number): string {
  return slot < 26 ? String.fromCharCode(97 + slot) : `u${slot}`;
}
