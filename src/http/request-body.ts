import { Readable } from 'node:stream';

/**
 * A request's body, which several attempts may need. What has been read is kept for the next attempt as
 * long as it fits into the bound; beyond that the body is streamed once and cannot be sent again. Reads
 * from the client only as fast as the attempt takes it.
 */
/** What a client may still send after it was answered; beyond, its connection is closed. */
const DISCARDED_BYTES_MAX = 256 * 1024;

export type RequestBodyHooks = {
  /** Called once, before the first byte is read. */
  invite(): void;
  /** The client goes on sending what nobody wants. */
  giveUp(): void;
};

export class RequestBody {
  /** Declared length; 0 without a body, Infinity when it is not declared. */
  readonly bytes: number;
  readonly #source: Readable;
  readonly #keptBytesMax: number;
  readonly #hooks: RequestBodyHooks;
  #kept: Buffer[] | null = [];
  #keptBytes = 0;
  #reader: Readable | null = null;
  #isReading = false;

  constructor(source: Readable, bytes: number, keptBytesMax: number, hooks: RequestBodyHooks) {
    this.#source = source;
    this.bytes = bytes;
    this.#keptBytesMax = keptBytesMax;
    this.#hooks = hooks;
  }

  /** Whether a new reader would see the body from its first byte. */
  get isReplayable(): boolean {
    return this.#kept !== null;
  }

  /** Whether the client has sent all of it, and all of it was read. */
  get isComplete(): boolean {
    return this.bytes === 0 || this.#source.readableEnded;
  }

  /** The whole body for one attempt, or null without one. An earlier reader gets nothing more. */
  open(): Readable | null {
    if (this.bytes === 0) return null;
    const reader = new Readable({
      read: () => {
        if (this.#reader === reader) this.#read();
      },
      destroy: (error, done) => {
        if (this.#reader === reader) this.#detach();
        done(error);
      },
    });
    for (const chunk of this.#kept ?? []) reader.push(chunk);
    if (this.#source.readableEnded) reader.push(null);
    this.#reader = reader;
    return reader;
  }

  /** Reads and drops what the client still sends, so that its connection can serve the next request. */
  discard(): void {
    this.#detach();
    this.#kept = null;
    if (this.isComplete) return;
    let dropped = 0;
    this.#source.on('data', (chunk: Buffer) => {
      dropped += chunk.length;
      if (dropped > DISCARDED_BYTES_MAX) this.#hooks.giveUp();
    });
    this.#source.resume();
  }

  #read(): void {
    if (!this.#isReading) {
      this.#isReading = true;
      this.#hooks.invite();
      this.#source.on('data', (chunk: Buffer) => this.#take(chunk));
      this.#source.on('end', () => this.#reader?.push(null));
      this.#source.on('close', () => this.#breakOff());
    }
    this.#source.resume();
  }

  #take(chunk: Buffer): void {
    this.#keep(chunk);
    if (this.#reader !== null && !this.#reader.push(chunk)) this.#source.pause();
  }

  #keep(chunk: Buffer): void {
    if (this.#kept === null) return;
    this.#keptBytes += chunk.length;
    if (this.#keptBytes > this.#keptBytesMax) this.#kept = null;
    else this.#kept.push(chunk);
  }

  #breakOff(): void {
    if (!this.#source.readableEnded)
      this.#reader?.destroy(new Error('The client broke off the request body.'));
  }

  #detach(): void {
    this.#reader = null;
    if (this.#isReading) this.#source.pause();
  }
}
