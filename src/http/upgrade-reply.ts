import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Reply } from '#actors/request/reply.ts';
import { type FlatHeaders, headerValue } from '#core/headers.ts';
import type { Lingering } from './linger.ts';
import { rawHead } from './raw-head.ts';
import { KEPT_CHUNKS_MAX } from './request-body.ts';

/** What a client may say ahead of the 101; beyond, it is not read until then. */
export const EARLY_BYTES_MAX = 64 * 1024;

/**
 * The answer to a request to switch protocols, for which node:http has let go of the connection. Any other
 * answer than 101 is its last. The client is listened to all the while: one that leaves before it is
 * answered is noticed at once, and what it says ahead belongs to the tunnel.
 */
export class UpgradeReply implements Reply {
  status = 0;
  readonly #socket: Socket;
  readonly #lingering: Lingering;
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #isChunked = false;
  #isSwitched = false;

  constructor(socket: Socket, head: Buffer, lingering: Lingering) {
    this.#socket = socket;
    this.#lingering = lingering;
    if (head.length > 0) this.#keep(head);
    socket.on('end', this.#onEnd).on('data', this.#keep);
  }

  get isGone(): boolean {
    return this.#socket.destroyed;
  }

  head(status: number, reason: string, headers: FlatHeaders): void {
    this.#isChunked = status !== 204 && status !== 304 && headerValue(headers, 'content-length') === null;
    const framing = this.#isChunked ? ['Transfer-Encoding', 'chunked'] : [];
    const head = rawHead(status, reason, [...headers, ...framing, 'Connection', 'close']);
    this.status = status;
    this.#drop();
    this.#socket.write(head, 'latin1');
  }

  write(chunk: Buffer | string): boolean {
    const socket = this.#socket;
    if (!this.#isChunked || chunk.length === 0) return socket.write(chunk);
    socket.cork();
    socket.write(`${Buffer.byteLength(chunk).toString(16)}\r\n`);
    socket.write(chunk);
    const hasRoom = socket.write('\r\n');
    socket.uncork();
    return hasRoom;
  }

  end(): void {
    this.#lingering.end(this.#socket, this.#isChunked ? '0\r\n\r\n' : '');
  }

  cut(): void {
    this.#socket.destroy();
  }

  switchProtocols(headers: FlatHeaders): Duplex | null {
    const socket = this.#socket;
    if (socket.destroyed) return null;
    const head = rawHead(101, 'Switching Protocols', headers);
    this.status = 101;
    this.#isSwitched = true;
    socket.off('end', this.#onEnd).off('data', this.#keep).pause();
    socket.write(head, 'latin1');
    if (this.#earlyBytes > 0) socket.unshift(Buffer.concat(this.#early));
    this.#drop();
    return socket;
  }

  expectProgress(idleMs: number): void {
    this.#socket.setTimeout(idleMs);
  }

  /** A request to switch protocols has no body. */
  inviteBody(): void {}

  onDrain(listener: () => void): void {
    this.#socket.on('drain', listener);
  }

  onSent(listener: () => void): void {
    this.#socket.on('finish', () => {
      if (!this.#isSwitched) listener();
    });
  }

  onLeft(listener: () => void): void {
    this.#socket.on('close', () => {
      if (!this.#isSwitched && !this.#socket.writableFinished) listener();
    });
  }

  readonly #onEnd = () => {
    if (this.status === 0) this.cut();
  };

  readonly #keep = (chunk: Buffer) => {
    if (this.status !== 0) return;
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes > EARLY_BYTES_MAX || this.#early.length === KEPT_CHUNKS_MAX) this.#socket.pause();
  };

  #drop(): void {
    this.#early = [];
    this.#earlyBytes = 0;
  }
}
