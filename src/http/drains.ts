import type { Clock, Timer } from '#core/clock.ts';
import type { Table, Upstream } from '#core/table.ts';

type Drain = {
  readonly sinceMs: number;
  readonly drainMs: number;
  readonly timer: Timer;
};

/**
 * What is under way with upstreams that are drained, in maintenance or gone may go on for so long, and is then
 * cut: WebSockets and streams would otherwise keep an upstream that is to be stopped for ever.
 */
export class Drains {
  readonly #clock: Clock;
  /** What cuts each answer that is under way, by the slot of its upstream. */
  readonly #underWay = new Map<number, Set<() => void>>();
  readonly #drains = new Map<number, Drain>();
  /** Of the latest table, by slot. */
  #upstreams: ReadonlyMap<number, Upstream> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An answer begins; `cut` may be called at once. To be called when it has ended: what this returns. */
  join({ slot }: Upstream, cut: () => void): () => void {
    const drain = this.#drains.get(slot);
    if (drain !== undefined && this.#leftMs(drain) <= 0) cut();
    const answers = this.#underWay.get(slot) ?? new Set();
    this.#underWay.set(slot, answers.add(cut));
    return () => answers.delete(cut);
  }

  /** From now on the table says which upstreams are ready. */
  follow({ pools }: Pick<Table, 'pools'>): void {
    const upstreams = Object.values(pools).flatMap((pool) => pool.upstreams);
    const before = this.#upstreams;
    this.#upstreams = new Map(upstreams.map((upstream) => [upstream.slot, upstream]));
    for (const [slot, { drainMs }] of before) if (!this.#upstreams.has(slot)) this.#begin(slot, drainMs);
    for (const { slot, state, drainMs } of upstreams) {
      if (state === 'ready') this.#end(slot);
      else this.#begin(slot, drainMs);
    }
  }

  /** Another deadline counts from the same beginning. */
  #begin(slot: number, drainMs: number): void {
    const known = this.#drains.get(slot);
    if (known?.drainMs === drainMs) return;
    known?.timer.cancel();
    const sinceMs = known?.sinceMs ?? this.#clock.monotonicMs();
    const timer = this.#clock.after(this.#leftMs({ sinceMs, drainMs }), () => this.#cut(slot));
    this.#drains.set(slot, { sinceMs, drainMs, timer });
  }

  #end(slot: number): void {
    this.#drains.get(slot)?.timer.cancel();
    this.#drains.delete(slot);
  }

  #cut(slot: number): void {
    for (const cut of [...(this.#underWay.get(slot) ?? [])]) cut();
  }

  #leftMs({ sinceMs, drainMs }: Omit<Drain, 'timer'>): number {
    return Math.max(0, sinceMs + drainMs - this.#clock.monotonicMs());
  }
}
