import type { Clock, Timer } from '#core/clock.ts';
import type { Table, Upstream } from '#core/table.ts';

/** An answer that is under way with an upstream. */
export interface UnderWay {
  /** Of the upstream's drains: where it stands among its answers. -1 until it has joined. */
  place: number;
  cut(): void;
}

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
  /** The answers that are under way, by the slot of their upstream. */
  readonly #underWay: UnderWay[][] = [];
  readonly #drains = new Map<number, Drain>();
  /** Of the latest table, by slot. */
  #upstreams: ReadonlyMap<number, Upstream> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An answer begins, which may be cut at once. Pair it with `leave`. */
  join({ slot }: Upstream, answer: UnderWay): void {
    const drain = this.#drains.get(slot);
    if (drain !== undefined && this.#leftMs(drain) <= 0) answer.cut();
    this.#underWay[slot] ??= [];
    answer.place = this.#underWay[slot].push(answer) - 1;
  }

  /** The answer has ended. */
  leave({ slot }: Upstream, answer: UnderWay): void {
    const answers = this.#underWay[slot] ?? [];
    const last = answers.at(-1);
    if (last === undefined || answers[answer.place] !== answer) return;
    answers[answer.place] = last;
    last.place = answer.place;
    answers.pop();
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
    for (const answer of [...(this.#underWay[slot] ?? [])]) answer.cut();
  }

  #leftMs({ sinceMs, drainMs }: Omit<Drain, 'timer'>): number {
    return Math.max(0, sinceMs + drainMs - this.#clock.monotonicMs());
  }
}
