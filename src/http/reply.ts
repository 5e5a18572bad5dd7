import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply } from '#actors/request/reply.ts';
import type { FlatHeaders } from '#core/headers.ts';

/** Ends the request's connection after an answer (RFC 9112 §9.6). */
export type CloseAfter = () => boolean;

/** A reply through node:http. `isClosing` says whether the connection has to end with this answer. */
export class HttpReply implements Reply {
  readonly #response: ServerResponse<IncomingMessage>;
  readonly #isClosing: CloseAfter;
  #awaitsContinue: boolean;

  constructor(response: ServerResponse<IncomingMessage>, awaitsContinue: boolean, isClosing: CloseAfter) {
    this.#response = response;
    this.#awaitsContinue = awaitsContinue;
    this.#isClosing = isClosing;
  }

  get status(): number {
    return this.#response.headersSent ? this.#response.statusCode : 0;
  }

  get isGone(): boolean {
    return this.#response.destroyed;
  }

  head(status: number, reason: string, headers: FlatHeaders): void {
    const all = this.#isClosing() ? [...headers, 'Connection', 'close'] : [...headers];
    this.#response.writeHead(status, reason, all);
    // Sends the head by itself. Unlike flushHeaders, it keeps bytes beyond ASCII as they are.
    this.#response.write('', 'latin1');
  }

  write(chunk: Buffer | string): boolean {
    return this.#response.write(chunk);
  }

  end(): void {
    this.#response.end();
  }

  cut(): void {
    // Through the request: an answer that waits for its turn, or was sent whole, has no connection.
    this.#response.req.socket.destroy();
  }

  /** A request to switch has a reply of its own kind. */
  switchProtocols(): null {
    return null;
  }

  expectProgress(idleMs: number): void {
    // The body may end, or be given up, while the client has an answer to read.
    if (idleMs === 0 && this.#response.headersSent) return;
    // node:http destroys a socket whose time is up, and sees to it that the next request starts anew.
    this.#response.req.socket.setTimeout(idleMs);
  }

  inviteBody(): void {
    if (!this.#awaitsContinue) return;
    this.#awaitsContinue = false;
    this.#response.writeContinue();
  }

  onDrain(listener: () => void): void {
    this.#response.on('drain', listener);
  }

  onSent(listener: () => void): void {
    this.#response.on('finish', listener);
  }

  onLeft(listener: () => void): void {
    this.#response.on('close', () => {
      if (!this.#response.writableFinished) listener();
    });
  }
}
