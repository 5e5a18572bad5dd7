import type { Upstream } from '../table.ts';
import { type EndpointId, endpointIdOf } from './record.ts';

export type SlotCells = {
  inFlight(slot: number): number;
  /** For a slot that another upstream takes over. */
  reset(slot: number): void;
};

/**
 * Which row of the shared cells belongs to which upstream. An upstream keeps its slot for its life; another one
 * gets it only when nothing is in flight on it any more.
 */
export class SlotBook {
  readonly #cells: SlotCells;
  readonly #slots = new Map<string, number>();
  /** Those whose upstreams are gone, the longest gone first. */
  readonly #left = new Set<number>();
  readonly #max: number;
  /** No slot from here on has ever been given out. */
  #next = 0;

  /** At most `max` slots; `upstreams` have theirs already. */
  constructor(cells: SlotCells, max: number, upstreams: readonly Upstream[]) {
    this.#cells = cells;
    this.#max = max;
    for (const upstream of upstreams) {
      this.#slots.set(endpointIdOf(upstream), upstream.slot);
      this.#next = Math.max(this.#next, upstream.slot + 1);
    }
  }

  /** Takes back the slots of all upstreams but these. */
  retain(upstreams: Iterable<EndpointId>): void {
    const kept = new Set([...upstreams].map(endpointIdOf));
    for (const [id, slot] of this.#slots) {
      if (kept.has(id)) continue;
      this.#slots.delete(id);
      this.#left.add(slot);
    }
  }

  /** The slot of an upstream, its own or a free one; null when there is none. */
  slotOf(upstream: EndpointId): number | null {
    const id = endpointIdOf(upstream);
    const slot = this.#slots.get(id) ?? this.#take();
    if (slot !== null) this.#slots.set(id, slot);
    return slot;
  }

  #take(): number | null {
    if (this.#next < this.#max) return this.#next++;
    for (const slot of this.#left) {
      if (this.#cells.inFlight(slot) > 0) continue;
      this.#left.delete(slot);
      this.#cells.reset(slot);
      return slot;
    }
    return null;
  }
}
