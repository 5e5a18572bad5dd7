import type { Clock } from '#core/clock.ts';
import { Deadline } from '#core/deadline.ts';
import type { Connection } from './connection.ts';

/** Connections that wait for their next request. The last one used comes first, so that the others may expire. */
export class IdleConnections {
  readonly #clock: Clock;
  readonly #stack: Connection[] = [];
  readonly #expiry: Deadline;
  /** When the first of them expires, at the earliest: those that are used again move on. */
  #expiryMs = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#expiry = new Deadline(clock, { wake: () => this.#closeExpired() });
  }

  /** Keeps it until its `idleUntilMs`, then closes it. */
  push(connection: Connection): void {
    this.#stack.push(connection);
    if (connection.idleUntilMs < this.#expiryMs) this.#wakeAt(connection.idleUntilMs);
  }

  pop(): Connection | null {
    if (this.#stack.length === 0) return null;
    const nowMs = this.#clock.monotonicMs();
    for (;;) {
      const connection = this.#stack.pop();
      if (connection === undefined) return null;
      if (connection.idleUntilMs > nowMs) return connection;
      connection.close(null);
    }
  }

  remove(connection: Connection): void {
    const at = this.#stack.lastIndexOf(connection);
    if (at !== -1) this.#stack.splice(at, 1);
  }

  closeAll(): void {
    for (const connection of this.#stack.splice(0)) connection.close(null);
    this.#expiry.cancel();
    this.#expiryMs = Infinity;
  }

  #wakeAt(dueMs: number): void {
    this.#expiryMs = dueMs;
    this.#expiry.set(Math.max(0, dueMs - this.#clock.monotonicMs()));
  }

  #closeExpired(): void {
    this.#expiryMs = Infinity;
    const nowMs = this.#clock.monotonicMs();
    for (const connection of this.#stack.filter(({ idleUntilMs }) => idleUntilMs <= nowMs))
      connection.close(null);
    if (this.#stack.length > 0) this.#wakeAt(Math.min(...this.#stack.map(({ idleUntilMs }) => idleUntilMs)));
  }
}
