import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, NEVER, sleep } from '#core/clock.ts';

/** A port closes when no connection has come for this long … */
export const QUIET_MS = 20;
/** … or after this long, however many still come, … */
export const QUIET_MS_MAX = 200;
/** … in a turn of the event loop that brought none, and was so short that hardly one can have come since … */
const TURN_MS_MAX = 0.1;
/** … unless so many turns in a row were otherwise. */
const TURNS_MAX = 1_000;

/**
 * Sockets that a worker accepts at, where the platform lets several share a port. Each accepts one connection in a
 * turn of the event loop (libuv since 1.45): with one, a worker whose turns take 0.3 s under load would accept three
 * connections a second.
 */
export const SOCKETS = 8;

/** Where a worker accepts connections. */
export class Port {
  readonly #servers: Server[] = [];
  readonly #onConnection: (socket: Socket) => void;
  readonly #clock: Clock;
  #arrivals = 0;
  #isClosed = false;

  constructor(clock: Clock, onConnection: (socket: Socket) => void) {
    this.#clock = clock;
    this.#onConnection = (socket) => {
      this.#arrivals++;
      onConnection(socket);
    };
  }

  /** Resolves with the port when connections are accepted; rejects with the system's error. */
  async listen(host: string, port: number, reusePort: boolean): Promise<number> {
    const listening = await this.#open(host, port, reusePort);
    const more = reusePort ? SOCKETS - 1 : 0;
    await Promise.all(Array.from({ length: more }, () => this.#open(host, listening, reusePort)));
    return listening;
  }

  /** Closes at once: the system resets connections that were made, and wait to be accepted. */
  close(): void {
    this.#isClosed = true;
    for (const server of this.#servers) if (server.listening) server.close();
  }

  #open(host: string, port: number, reusePort: boolean): Promise<number> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, this.#onConnection);
    this.#servers.push(server);
    // Accepting one connection may fail, of too many open files for example; the others are served on.
    server.on('error', () => {});
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, reusePort }, () => {
        server.off('error', reject);
        const address = server.address();
        // A worker may be told to drain before it listens.
        if (this.#isClosed) server.close();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  /**
   * Closes at a moment when none waits to be accepted. Such moments last when nobody is answered meanwhile: clients
   * that wait for answers make no connections. Those that come all the same leave moments of some microseconds.
   */
  async closeQuietly(): Promise<void> {
    const endMs = this.#clock.monotonicMs() + QUIET_MS_MAX;
    let before: number;
    do {
      before = this.#arrivals;
      await sleep(this.#clock, QUIET_MS, NEVER);
      // One turn of the event loop accepts what came meanwhile; it has to be a whole one.
      await nextTurn();
      await nextTurn();
    } while (before !== this.#arrivals && this.#clock.monotonicMs() < endMs);
    for (let turns = 0; turns < TURNS_MAX; turns++) if (await this.#isTurnQuiet()) break;
    this.close();
  }

  async #isTurnQuiet(): Promise<boolean> {
    const before = this.#arrivals;
    const startMs = this.#clock.monotonicMs();
    await nextTurn();
    return before === this.#arrivals && this.#clock.monotonicMs() - startMs <= TURN_MS_MAX;
  }
}
