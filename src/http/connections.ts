import type { Socket } from 'node:net';
import type { Clock } from '#core/clock.ts';
import type { ConnectionCount } from '#shared/connection-count.ts';

/**
 * How long a connection that was in use a moment ago stays open when draining: the client's next request
 * may be on the wire already, and is then answered, with `Connection: close`.
 */
const RECENT_USE_MS = 250;

type Use = { exchanges: number; lastMs: number };

/** The client connections of a worker: counted against the instance's limit, closed when draining. */
export class Connections {
  readonly #count: ConnectionCount;
  readonly #worker: number;
  readonly #max: number;
  readonly #clock: Clock;
  readonly #uses = new Map<Socket, Use>();
  #drained: (() => void) | null = null;

  constructor(count: ConnectionCount, worker: number, max: number, clock: Clock) {
    this.#count = count;
    this.#worker = worker;
    this.#max = max;
    this.#clock = clock;
  }

  /** Takes a new connection in; false when the instance has as many as it may. */
  admit(socket: Socket): boolean {
    if (!this.#count.enter(this.#worker, this.#max)) return false;
    this.#uses.set(socket, { exchanges: 0, lastMs: this.#clock.monotonicMs() });
    socket.on('close', () => {
      this.#uses.delete(socket);
      this.#count.leave(this.#worker);
      this.#reportIfDrained();
    });
    if (this.#drained !== null) this.#closeWhenUnused(socket);
    return true;
  }

  /** Whether an exchange is under way on the connection. */
  isBusy(socket: Socket): boolean {
    return (this.#uses.get(socket)?.exchanges ?? 0) > 0;
  }

  beginExchange(socket: Socket): void {
    const use = this.#uses.get(socket);
    if (use !== undefined) use.exchanges++;
  }

  endExchange(socket: Socket): void {
    const use = this.#uses.get(socket);
    if (use === undefined) return;
    use.exchanges--;
    use.lastMs = this.#clock.monotonicMs();
    if (this.#drained !== null) this.#closeWhenUnused(socket);
  }

  /** Closes what is idle now, and the rest as it becomes idle. Resolves when no connection is left. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained = resolve;
      for (const socket of this.#uses.keys()) this.#closeWhenUnused(socket);
      this.#reportIfDrained();
    });
  }

  /** Ends every connection, whatever is still on it. */
  cut(): void {
    for (const socket of this.#uses.keys()) socket.destroy();
  }

  #closeWhenUnused(socket: Socket): void {
    const use = this.#uses.get(socket);
    if (use === undefined || use.exchanges > 0) return;
    const restMs = use.lastMs + RECENT_USE_MS - this.#clock.monotonicMs();
    if (restMs <= 0) socket.destroySoon();
    else this.#clock.after(restMs, () => this.#closeWhenUnused(socket));
  }

  #reportIfDrained(): void {
    if (this.#uses.size === 0) this.#drained?.();
  }
}
