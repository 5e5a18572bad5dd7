import type { Exchange } from '#actors/request/exchange.ts';
import type { Upstream } from '#core/table.ts';
import type { UpstreamCells } from '#shared/upstream-cells.ts';

/**
 * Places at upstreams that have only so many: claimed when an upstream is picked, since another worker may be about
 * to pick it too, and from then on counted as in flight. The attempt that begins takes its place over.
 */
export class Claims {
  readonly #cells: Pick<UpstreamCells, 'tryBegin' | 'end'>;
  readonly #claimed = new Map<Exchange, Upstream>();

  constructor(cells: Pick<UpstreamCells, 'tryBegin' | 'end'>) {
    this.#cells = cells;
  }

  /** False if the upstream has `max` in flight. */
  claim(exchange: Exchange, upstream: Upstream, max: number): boolean {
    if (!this.#cells.tryBegin(upstream.slot, max)) return false;
    this.#claimed.set(exchange, upstream);
    return true;
  }

  /** The attempt has begun; it is for it to end what is in flight. */
  take(exchange: Exchange): void {
    this.#claimed.delete(exchange);
  }

  /** To be called when the attempt begins at once or not at all: a place that it has not taken by then is free. */
  settle(exchange: Exchange): void {
    if (!this.#claimed.has(exchange)) return;
    queueMicrotask(() => {
      const upstream = this.#claimed.get(exchange);
      if (upstream === undefined) return;
      this.#claimed.delete(exchange);
      this.#cells.end(upstream.slot);
    });
  }
}
