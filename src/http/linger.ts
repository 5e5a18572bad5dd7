import type { Socket } from 'node:net';
import type { Clock } from '#core/clock.ts';

/** How long a connection is read on after its last answer, so that the client gets to see that. */
export const LINGER_MS = 1000;
/** Connections that linger at once in a worker; more are closed at once. */
const LINGERING_MAX = 1024;

/**
 * Closes connections in stages (RFC 9112 §9.6): what a client still sends would otherwise make the system
 * reset the connection, and the reset overtake the answer.
 */
export class Lingering {
  readonly #clock: Clock;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Ends our side after `lastWords`, and drops what still comes until the client ends its own. The time
   * begins when the last byte has left; until then, the idle time that the socket has holds.
   */
  end(socket: Socket, lastWords = ''): void {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    socket.on('finish', () => this.#linger(socket));
    socket.end(lastWords, 'latin1');
    socket.resume();
  }

  #linger(socket: Socket): void {
    if (socket.readableEnded || this.#count >= LINGERING_MAX) {
      socket.destroy();
      return;
    }
    this.#count++;
    const timer = this.#clock.after(LINGER_MS, () => socket.destroy());
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      this.#count--;
      timer.cancel();
    });
  }
}
