import type { ClientHttp2Stream } from 'node:http2';
import type { Readable } from 'node:stream';
import { Fields } from '#core/fields.ts';
import { groupedFields } from '../h2-fields.ts';
import { brokenBody, wrongLength } from '../transport-errors.ts';
import type { Outgoing } from './outgoing.ts';

export type BodyWriterObserver = {
  /** The body cannot be sent as it was promised. */
  bodyFailed(error: Error): void;
  bodySent(chunk: Buffer): void;
  requestSent(): void;
};

/** Writes the body of a request, as fast as the stream takes it, while the answer may be coming already. */
export class BodyWriter {
  readonly #stream: ClientHttp2Stream;
  readonly #body: Readable;
  readonly #observer: BodyWriterObserver;
  /** Of the declared length; null: until it ends. */
  #bytesLeft: number | null;
  #isOver = false;

  constructor(
    stream: ClientHttp2Stream,
    { bodyBytes, trailers }: Outgoing,
    body: Readable,
    observer: BodyWriterObserver,
  ) {
    this.#stream = stream;
    this.#body = body;
    this.#observer = observer;
    this.#bytesLeft = bodyBytes;
    stream.on('drain', () => this.#drained());
    if (trailers !== null) {
      stream.on('wantTrailers', () => {
        if (!stream.closed) stream.sendTrailers(groupedFields(Fields.of(trailers())) ?? {});
      });
    }
    body.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
    body.on('error', this.#onError);
    if (body.destroyed) this.#onClose();
  }

  /** Writes no more. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#body.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    // What errors it still has are nobody's any more.
    this.#body.on('error', () => {}).destroy();
  }

  #drained(): void {
    if (!this.#isOver) this.#body.resume();
  }

  readonly #onData = (chunk: Buffer) => {
    if (chunk.length === 0) return;
    // The upstream has reset the stream, and its answer may still have to be read: to write would destroy that.
    if (this.#stream.writableEnded) {
      this.stop();
      return;
    }
    if (this.#bytesLeft !== null) {
      this.#bytesLeft -= chunk.length;
      if (this.#bytesLeft < 0) {
        this.#observer.bodyFailed(wrongLength());
        return;
      }
    }
    if (!this.#stream.write(chunk)) this.#body.pause();
    this.#observer.bodySent(chunk);
  };

  readonly #onEnd = () => {
    if (this.#bytesLeft !== null && this.#bytesLeft > 0) {
      this.#observer.bodyFailed(wrongLength());
      return;
    }
    this.#isOver = true;
    this.#stream.end();
    this.#observer.requestSent();
  };

  readonly #onError = (error: Error) => {
    if (!this.#isOver) this.#observer.bodyFailed(error);
  };

  readonly #onClose = () => {
    if (!this.#isOver) this.#observer.bodyFailed(brokenBody());
  };
}
