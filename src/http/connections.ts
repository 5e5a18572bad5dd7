import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '#core/clock.ts';
import { normaliseClientIp } from '#core/limits/client-ip.ts';
import type { ClientConnectionCount } from '#shared/client-connection-count.ts';
import type { ConnectionCount } from '#shared/connection-count.ts';
import type { AddressBlocks } from './address-blocks.ts';

/**
 * How long a connection that was in use a moment ago stays open when draining: the client's next request may be on
 * the wire already, and is then answered, with `Connection: close`. Measured: clients that take hundreds of
 * connections in turn come back to each after some 300 ms.
 */
const RECENT_USE_MS = 1_000;

export type ConnectionsOptions = {
  readonly count: ConnectionCount;
  readonly clients: ClientConnectionCount;
  /** Which worker's they are. */
  readonly worker: number;
  /** Of the instance. */
  readonly max: number;
  readonly perClientMax: number;
  /** Proxies, which have connections for many clients: any number of them. */
  readonly trusted: AddressBlocks;
  readonly ipv6PrefixBits: number;
  readonly clock: Clock;
};

/** One connection, as those know it whose requests come on it. */
export type Use = {
  socket: Socket;
  exchanges: number;
  lastMs: number;
  /** How it ends by itself. */
  retire: (() => void) | null;
};

/** The client connections of a worker: counted against the instance's limit, closed when draining. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #uses = new Map<Socket, Use>();
  #drained: (() => void) | null = null;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** Takes a new connection in; false when the instance has as many as it may. */
  admit(socket: Socket): boolean {
    const { count, worker, max } = this.#options;
    if (!count.enter(worker, max)) return false;
    const use = this.#newUse(socket);
    this.#uses.set(socket, use);
    socket.on('close', () => {
      this.#uses.delete(use.socket);
      count.leave(worker);
      this.#reportIfDrained();
    });
    if (this.#drained !== null) this.#closeWhenUnused(socket);
    return true;
  }

  /** Counts one that was taken in as a connection of this client; false when that has as many as it may. */
  admitClient(socket: Socket, address: string): boolean {
    const { clients, worker, max, perClientMax, trusted, ipv6PrefixBits } = this.#options;
    if (perClientMax >= max || trusted.has(address)) return true;
    const client = normaliseClientIp(address, ipv6PrefixBits);
    if (!clients.enter(worker, client, perClientMax)) return false;
    socket.on('close', () => clients.leave(worker, client));
    return true;
  }

  /** A connection that was taken in goes on as `secure`, which closes with the socket under it. */
  secured(socket: Socket, secure: Socket): void {
    const use = this.#uses.get(socket);
    if (use === undefined) return;
    this.#uses.delete(socket);
    this.#uses.set(secure, use);
    use.socket = secure;
    if (this.#drained !== null) this.#closeWhenUnused(secure);
  }

  /** A connection that can say that it will end, and then does: by `retire`, which may be called again. */
  retireBy(socket: Socket, retire: () => void): void {
    const use = this.#uses.get(socket);
    if (use !== undefined) use.retire = retire;
  }

  /** What the client sends is read from now on: as after an exchange, a request may be on the wire already. */
  begin(socket: Socket): void {
    const use = this.#uses.get(socket);
    if (use !== undefined) use.lastMs = this.#options.clock.monotonicMs();
  }

  /** Whether an exchange is under way on the connection. */
  isBusy(socket: Socket): boolean {
    return (this.#uses.get(socket)?.exchanges ?? 0) > 0;
  }

  /** Of a connection, to be asked for once: what its exchanges are counted in. */
  useOf(socket: Socket): Use {
    return this.#uses.get(socket) ?? this.#newUse(socket);
  }

  beginExchange(use: Use): void {
    use.exchanges++;
  }

  endExchange(use: Use): void {
    use.exchanges--;
    use.lastMs = this.#options.clock.monotonicMs();
    if (this.#drained !== null) this.#closeWhenUnused(use.socket);
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

  #newUse(socket: Socket): Use {
    return { socket, exchanges: 0, lastMs: this.#options.clock.monotonicMs(), retire: null };
  }

  #closeWhenUnused(socket: Socket): void {
    const use = this.#uses.get(socket);
    if (use === undefined) return;
    if (use.exchanges > 0) {
      use.retire?.();
      return;
    }
    const { clock } = this.#options;
    const restMs = use.lastMs + RECENT_USE_MS - clock.monotonicMs();
    if (restMs > 0) clock.after(restMs, () => this.#closeWhenUnused(socket));
    // A thread that is late has yet to read what came meanwhile.
    else void nextTurn().then(() => use.exchanges > 0 || end(use));
  }

  #reportIfDrained(): void {
    if (this.#uses.size === 0) this.#drained?.();
  }
}

function end({ socket, retire }: Use): void {
  if (retire === null) socket.destroySoon();
  else retire();
}
