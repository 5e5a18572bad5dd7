import type { Flight } from './flight.ts';

/** Requests that wait for a connection to one upstream. There are never more than clients, unless some have given up. */
export const WAITING_MAX = 65_536;

/** The requests that wait for a connection to one upstream, in the order in which they came. */
export class WaitingFlights<Outgoing> {
  readonly #flights = new Set<Flight<Outgoing>>();

  get size(): number {
    return this.#flights.size;
  }

  /** Whether one more may wait. Before there is no room, those that nobody wants any more have to go. */
  hasRoom(): boolean {
    if (this.#flights.size >= WAITING_MAX) this.forgetGivenUp();
    return this.#flights.size < WAITING_MAX;
  }

  forgetGivenUp(): void {
    for (const flight of this.#flights) {
      if (flight.handler.isGivenUp === true) this.#flights.delete(flight);
    }
  }

  add(flight: Flight<Outgoing>): void {
    this.#flights.add(flight);
  }

  /** The first one, which waits no longer; null if none waits. */
  next(): Flight<Outgoing> | null {
    if (this.#flights.size === 0) return null;
    const [first = null] = this.#flights;
    if (first !== null) this.#flights.delete(first);
    return first;
  }

  /** The first ones, `countMax` at most, which wait no longer. */
  take(countMax = Infinity): Flight<Outgoing>[] {
    const taken = [...this.#flights].slice(0, countMax);
    for (const flight of taken) this.#flights.delete(flight);
    return taken;
  }
}
