import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, sleep } from '#core/clock.ts';

/** A port closes when no connection has come for this long … */
export const QUIET_MS = 20;
/** … or after this long, however many still come, … */
export const QUIET_MS_MAX = 200;
/** … in a turn of the event loop that brought none, and was so short that hardly one can have come since … */
const TURN_MS_MAX = 0.1;
/** … unless so many turns in a row were otherwise. */
const TURNS_MAX = 1_000;

const NEVER = new AbortController().signal;

/** Where a worker accepts connections. */
export class Port {
  readonly #server: Server;
  readonly #clock: Clock;
  #arrivals = 0;
  #isClosed = false;

  constructor(clock: Clock, onConnection: (socket: Socket) => void) {
    this.#clock = clock;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#arrivals++;
      onConnection(socket);
    });
    // Accepting one connection may fail, of too many open files for example; the others are served on.
    this.#server.on('error', () => {});
  }

  /** Resolves with the port when connections are accepted; rejects with the system's error. */
  listen(host: string, port: number, reusePort: boolean): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, reusePort }, () => {
        this.#server.off('error', reject);
        const address = this.#server.address();
        // A worker may be told to drain before it listens.
        if (this.#isClosed) this.#server.close();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  /** Closes at once: the system resets connections that were made, and wait to be accepted. */
  close(): void {
    this.#isClosed = true;
    if (this.#server.listening) this.#server.close();
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
