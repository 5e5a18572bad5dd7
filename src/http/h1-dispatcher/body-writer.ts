import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Clock, Timer } from '#core/clock.ts';
import { chunkHead, LAST_CHUNK, lastChunk } from '../h1/write-head.ts';
import { brokenBody, wrongLength } from '../transport-errors.ts';
import type { Outgoing } from './outgoing.ts';

/** How long a body waits for 100 Continue; not every upstream sends one (RFC 9110 §10.1.1). */
export const CONTINUE_MS = 1000;

export type BodyWriterObserver = {
  /** The body cannot be sent as it was promised. */
  bodyFailed(error: Error): void;
  bodySent(chunk: Buffer): void;
  requestSent(): void;
};

/**
 * Writes a request that has a body, as fast as the connection takes it. What comes within one turn of the event
 * loop, the head included, is one write. It is made at the end of the turn: an answer that has come is read first.
 */
export class BodyWriter {
  readonly #socket: Socket;
  readonly #body: Readable;
  readonly #trailers: Outgoing['trailers'];
  readonly #observer: BodyWriterObserver;
  /** Of the declared length; null: in chunks. */
  #bytesLeft: number | null;
  #timer: Timer | null = null;
  #isCorked = false;
  #state: 'waiting' | 'flowing' | 'complete' | 'stopped' = 'waiting';

  constructor(
    socket: Socket,
    { head, bodyBytes, expectsContinue, trailers }: Outgoing,
    body: Readable,
    observer: BodyWriterObserver,
    clock: Clock,
  ) {
    this.#socket = socket;
    this.#body = body;
    this.#trailers = trailers;
    this.#observer = observer;
    this.#bytesLeft = bodyBytes;
    this.#write(head);
    if (expectsContinue) this.#timer = clock.after(CONTINUE_MS, () => this.invite());
    else this.invite();
  }

  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  /** The upstream wants the body, or has had its time to say so. */
  invite(): void {
    this.#timer?.cancel();
    if (this.#state !== 'waiting') return;
    this.#state = 'flowing';
    this.#body.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
    this.#body.on('error', this.#onError);
    if (this.#body.destroyed) this.#onClose();
  }

  /** The connection takes more. */
  drained(): void {
    if (this.#state === 'flowing') this.#body.resume();
  }

  /** Writes no more. */
  stop(): void {
    this.#timer?.cancel();
    if (this.#state === 'complete' || this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#body.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    // What errors it still has are nobody's any more.
    this.#body.on('error', () => {}).destroy();
  }

  readonly #onData = (chunk: Buffer) => {
    if (chunk.length === 0) return;
    if (this.#bytesLeft === null) {
      this.#write(chunkHead(chunk.length));
      this.#write(chunk);
      this.#write('\r\n');
    } else if (chunk.length <= this.#bytesLeft) {
      this.#bytesLeft -= chunk.length;
      this.#write(chunk);
    } else {
      this.#observer.bodyFailed(wrongLength());
      return;
    }
    if (this.#socket.writableNeedDrain) this.#body.pause();
    this.#observer.bodySent(chunk);
  };

  readonly #onEnd = () => {
    if (this.#bytesLeft === null) this.#write(lastChunk(this.#trailers()) ?? LAST_CHUNK);
    else if (this.#bytesLeft > 0) {
      this.#observer.bodyFailed(wrongLength());
      return;
    }
    this.#state = 'complete';
    this.#observer.requestSent();
  };

  readonly #onError = (error: Error) => {
    if (this.#state === 'flowing') this.#observer.bodyFailed(error);
  };

  readonly #onClose = () => {
    if (this.#state === 'flowing') this.#observer.bodyFailed(brokenBody());
  };

  #write(data: Buffer | string): void {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      setImmediate(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(data, 'latin1');
  }
}
