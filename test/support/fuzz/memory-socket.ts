import type { OnReadOpts, Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** A connection without a system behind it: what it is given arrives at once, and what is written to it is kept. */
export class MemorySocket extends Duplex {
  /** One character a byte. */
  written = '';
  onWritten: () => void = () => {};
  readonly remoteAddress = '127.0.0.1';
  readonly #onread: OnReadOpts | null;

  constructor(onread: OnReadOpts | null = null) {
    super({ allowHalfOpen: true });
    this.#onread = onread;
    this.on('error', () => {});
  }

  /** As the product takes it: only what it uses of sockets is there. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  receive(piece: Buffer): void {
    if (this.destroyed) return;
    if (this.#onread === null) {
      this.push(Buffer.from(piece));
      return;
    }
    const { buffer, callback } = this.#onread;
    const room = typeof buffer === 'function' ? buffer() : buffer;
    room.set(piece);
    callback(piece.length, room);
  }

  receiveEnd(): void {
    if (this.destroyed) return;
    this.push(null);
    if (this.#onread !== null) this.resume();
  }

  setTimeout(): this {
    return this;
  }

  destroySoon(): void {
    this.end(() => this.destroy());
  }

  override _read(): void {}

  override _write(
    chunk: Buffer | string,
    encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.written +=
      typeof chunk === 'string' ? Buffer.from(chunk, encoding).toString('latin1') : chunk.toString('latin1');
    done();
    this.onWritten();
  }
}
