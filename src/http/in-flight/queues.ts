import type { Clock, Timer } from '#core/clock.ts';
import type { InFlightBound, Pool } from '#core/table.ts';
import type { QueueCells } from '#shared/queue-cells.ts';
import type { RequestMetrics, WaitResult } from '../request-metrics.ts';

/**
 * How often those that wait look by themselves. They are woken when there may be room; this is for what nobody
 * tells: an upstream that is not avoided any more, another table, a worker that was told and did not go on.
 */
export const LOOK_EVERY_MS = 5;

/**
 * After what is free was left to another worker, nothing is for this long: that worker may be waiting for something
 * else, or be late, and must not hold up everybody.
 */
export const YIELD_EVERY_MS = 2 * LOOK_EVERY_MS;

export type BoundedPool = Pool & { readonly inFlight: InFlightBound };

export type Waiter = {
  readonly pool: BoundedPool;
  /** Whether it would go wherever there is room: then if it finds none, nobody of its pool does. */
  readonly isFirstTry: boolean;
  /** How it goes on if it can now, to be called at once; null when there is no room. */
  next(): (() => void) | null;
  timedOut(): void;
};

type Place = { readonly waiter: Waiter; readonly sinceMs: number; readonly timer: Timer };

type Queue = {
  readonly name: string;
  readonly slot: number;
  /** In the order in which they came. */
  readonly places: Set<Place>;
  /** When what is free may be left to another worker again. */
  mayYieldAtMs: number;
  isLookDue: boolean;
  nextLook: Timer;
};

/**
 * The requests of one worker that wait until an upstream has room: first come, first served, each for so long. Where
 * another worker's request has waited longer, what is free is left to it for a moment.
 */
export class Queues {
  readonly #cells: QueueCells;
  readonly #metrics: Pick<RequestMetrics, 'queued' | 'unqueued'>;
  readonly #clock: Clock;
  /** By pool; none that is empty. */
  readonly #queues = new Map<string, Queue>();

  constructor(cells: QueueCells, metrics: Pick<RequestMetrics, 'queued' | 'unqueued'>, clock: Clock) {
    this.#cells = cells;
    this.#metrics = metrics;
    this.#clock = clock;
  }

  /** Whether others wait already, here or in another worker, for whichever upstream has room first. */
  hasWaiting({ name, slot }: Pool): boolean {
    const queue = this.#queues.get(name);
    return (queue !== undefined && firstIn(queue) !== null) || this.#cells.elder(slot, Infinity) !== null;
  }

  /** Waits. Returns what ends the wait, which may be called more than once; null if there is no room to wait. */
  join(waiter: Waiter): (() => void) | null {
    const { name, slot, inFlight } = waiter.pool;
    const { lengthMax, timeoutMs } = inFlight.queue;
    const known = this.#queues.get(name);
    if ((known?.places.size ?? 0) >= lengthMax) return null;
    const queue = known ?? this.#open(name, slot);
    const place: Place = {
      waiter,
      sinceMs: this.#clock.monotonicMs(),
      timer: this.#clock.after(timeoutMs, () => {
        this.#leave(queue, place, 'timed_out');
        waiter.timedOut();
      }),
    };
    queue.places.add(place);
    this.#metrics.queued(name);
    this.#publish(queue);
    this.#cells.listen(this.#rung);
    return () => this.#leave(queue, place, 'given_up');
  }

  /** An upstream of the pool may have room again. */
  freed({ name, slot }: Pool): void {
    const queue = this.#queues.get(name);
    if (queue !== undefined) {
      this.#lookSoon(queue);
      return;
    }
    const elder = this.#cells.elder(slot, Infinity);
    if (elder !== null) this.#cells.ring(elder);
  }

  readonly #rung = () => {
    for (const queue of this.#queues.values()) this.#look(queue);
    if (this.#queues.size > 0) this.#cells.listen(this.#rung);
  };

  #open(name: string, slot: number): Queue {
    const queue: Queue = {
      name,
      slot,
      places: new Set(),
      mayYieldAtMs: -Infinity,
      isLookDue: false,
      nextLook: this.#clock.after(LOOK_EVERY_MS, () => this.#lookAgain(queue)),
    };
    this.#queues.set(name, queue);
    return queue;
  }

  #lookAgain(queue: Queue): void {
    queue.nextLook = this.#clock.after(LOOK_EVERY_MS, () => this.#lookAgain(queue));
    this.#look(queue);
  }

  /** Not at once: an attempt that ends may be deep within what another one has begun. */
  #lookSoon(queue: Queue): void {
    if (queue.isLookDue) return;
    queue.isLookDue = true;
    queueMicrotask(() => {
      queue.isLookDue = false;
      this.#look(queue);
    });
  }

  #look(queue: Queue): void {
    const withoutRoom = new Set<Pool>();
    for (const place of queue.places) {
      const { waiter, sinceMs } = place;
      if (withoutRoom.has(waiter.pool) && waiter.isFirstTry) continue;
      if (this.#yields(queue, sinceMs)) return;
      const goOn = waiter.next();
      if (goOn !== null) {
        this.#leave(queue, place, 'passed');
        goOn();
      } else if (waiter.isFirstTry) withoutRoom.add(waiter.pool);
    }
  }

  /** Whether another worker is to have what is free, if something is. */
  #yields(queue: Queue, sinceMs: number): boolean {
    const nowMs = this.#clock.monotonicMs();
    const elder = nowMs < queue.mayYieldAtMs ? null : this.#cells.elder(queue.slot, sinceMs);
    if (elder === null) return false;
    queue.mayYieldAtMs = nowMs + YIELD_EVERY_MS;
    this.#cells.ring(elder);
    return true;
  }

  #leave(queue: Queue, place: Place, result: WaitResult): void {
    if (!queue.places.delete(place)) return;
    place.timer.cancel();
    this.#metrics.unqueued(queue.name, result, (this.#clock.monotonicMs() - place.sinceMs) / 1000);
    this.#publish(queue);
    if (queue.places.size > 0) return;
    queue.nextLook.cancel();
    this.#queues.delete(queue.name);
  }

  #publish(queue: Queue): void {
    this.#cells.publish(queue.slot, firstIn(queue)?.sinceMs ?? 0);
  }
}

/** Who goes next where there is room. A request that fails over may wait for one upstream in particular. */
function firstIn({ places }: Queue): Place | null {
  for (const place of places) if (place.waiter.isFirstTry) return place;
  return null;
}
