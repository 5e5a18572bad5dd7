import type { Socket } from 'node:net';

/** Requests that one connection may send ahead of their answers; beyond, it is cut. */
export const PIPELINED_MAX = 256;

/**
 * The requests of one connection, served one after the other, however many a client sends at once (RFC 9112
 * §9.3.2): so that a connection takes no more of the upstreams than one request does. While any wait, no
 * more are read.
 */
export class Pipeline {
  readonly #socket: Socket;
  readonly #waiting: (() => void)[] = [];
  #isBusy = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Calls `serve` when it is this request's turn, which `leave` ends. Never, if the connection ends first. */
  enter(serve: () => void): void {
    if (this.#isBusy) {
      this.#waiting.push(serve);
      if (this.#waiting.length > PIPELINED_MAX) this.#socket.destroy();
      else this.#socket.pause();
      return;
    }
    this.#isBusy = true;
    serve();
  }

  leave(): void {
    // What was answered with `Connection: close` was the last.
    const next = this.#socket.writable ? this.#waiting.shift() : undefined;
    if (next === undefined) {
      this.#isBusy = false;
      return;
    }
    if (this.#waiting.length === 0) this.#socket.resume();
    // The idle time was that of the answer before.
    this.#socket.setTimeout(0);
    next();
  }
}
