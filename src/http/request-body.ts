import { Readable } from 'node:stream';
import type { ReplayableBody, TurnWatch } from '#actors/request/exchange.ts';
import { SignalboxError } from '#core/errors.ts';
import type { FlatHeaders } from '#core/headers.ts';
import type { HeldBytes } from '#shared/held-bytes.ts';
import type { ArrivingBody } from './arrival.ts';
import { countStreamed } from './stream-garbage.ts';

/** A chunk costs some 200 bytes besides its own, and clients choose how many there are. */
export const KEPT_CHUNKS_MAX = 1024;

const NO_TRAILERS: FlatHeaders = [];
const UNWATCHED: TurnWatch = { awaitClient() {} };

export type RequestBodyBounds = {
  /** What is kept for another attempt. */
  readonly keptBytesMax: number;
  /** The body breaks off where it is longer; null: it may have any length. */
  readonly bytesMax: number | null;
};

export type RequestBodyHooks = {
  /** Called once, before the first byte is read. */
  invite(): void;
  /** Called when it is the client's turn to send, and when it is not any more. */
  awaitClient(isAwaited: boolean): void;
};

/** What counts the bytes that are kept, and says whether more may be. */
export type KeptCount = Pick<HeldBytes, 'add' | 'mayKeep'>;

export const UNCOUNTED: KeptCount = { add() {}, mayKeep: true };

/**
 * A request's body that comes while the request is under way, which several attempts may need. What has been read is kept for the next attempt as
 * long as it fits into the bound; beyond that the body is streamed once and cannot be sent again. Reads
 * from the client only as fast as the attempt takes it.
 */
export class RequestBody implements ReplayableBody {
  /** Declared length; Infinity when it is not declared. */
  readonly bytes: number;
  readonly #source: ArrivingBody;
  readonly #bounds: RequestBodyBounds;
  readonly #hooks: RequestBodyHooks;
  readonly #count: KeptCount;
  #kept: Buffer[] | null = [];
  #keptBytes = 0;
  #reader: Readable | null = null;
  /** It was given what is kept, and is given what comes. */
  #hasReaderBegun = false;
  #watch: TurnWatch = UNWATCHED;
  /** Told when as much has come as was waited for; null while nobody waits. */
  #received: ((error: Error | null) => void) | null = null;
  #isReading = false;
  #readBytes = 0;

  constructor(
    source: ArrivingBody,
    bytes: number,
    bounds: RequestBodyBounds,
    hooks: RequestBodyHooks,
    count: KeptCount = UNCOUNTED,
  ) {
    this.#source = source;
    this.bytes = bytes;
    this.#bounds = bounds;
    this.#hooks = hooks;
    this.#count = count;
  }

  /** As much of it as was read for an attempt. */
  get readBytes(): number {
    return this.#readBytes;
  }

  get isReplayable(): boolean {
    return this.#kept !== null;
  }

  /** Whether the client has sent all of it, and all of it was read. */
  get isComplete(): boolean {
    return this.#source.readableEnded;
  }

  get trailers(): FlatHeaders {
    return this.#source.rawTrailers ?? NO_TRAILERS;
  }

  get isDeclared(): boolean {
    return this.bytes < Infinity;
  }

  receive(told: (error: Error | null) => void): () => void {
    this.#received = told;
    this.#read(this.#source);
    return () => {
      if (this.#received === null) return;
      this.#received = null;
      this.#pause();
    };
  }

  open(watch: TurnWatch = UNWATCHED): Readable {
    const source = this.#source;
    const reader = new Readable({
      read: () => {
        if (this.#reader !== reader) return;
        if (this.#hasReaderBegun || !this.#replay(reader, source)) this.#read(source);
      },
      destroy: (error, done) => {
        if (this.#reader === reader) this.#detach();
        done(error);
      },
    });
    // An attempt that waits for a connection does not listen yet, and will see that it failed.
    reader.on('error', () => {});
    this.#reader = reader;
    this.#hasReaderBegun = false;
    this.#watch = watch;
    if (this.#isReading && this.#kept === null) reader.destroy(notKept());
    return reader;
  }

  /**
   * Gives a reader what is kept, once it reads: a stream that is given something reads on by itself, and a body that
   * is read beyond its bound cannot be sent again. False where there is nothing to give.
   */
  #replay(reader: Readable, source: Readable): boolean {
    this.#hasReaderBegun = true;
    if (this.#isReading && this.#kept === null) {
      reader.destroy(notKept());
      return true;
    }
    const kept = this.#kept ?? [];
    for (const chunk of kept) reader.push(chunk);
    if (source.readableEnded) reader.push(null);
    return kept.length > 0 || source.readableEnded;
  }

  discard(): void {
    this.#received = null;
    this.#detach();
    this.forget();
    if (!this.isComplete) this.#source.resume();
  }

  /** Keeps nothing for another attempt any more. */
  forget(): void {
    if (this.#kept === null) return;
    this.#kept = null;
    this.#count.add(-this.#keptBytes);
  }

  #read(source: Readable): void {
    if (source.destroyed) {
      this.#breakOff(whyBroken(source));
      return;
    }
    if (!this.#isReading) {
      this.#isReading = true;
      this.#hooks.invite();
      source.on('data', (chunk: Buffer) => this.#take(chunk));
      source.on('end', () => this.#end());
      source.on('close', () => this.isComplete || this.#breakOff(whyBroken(source)));
    }
    this.#setTurn(true);
    source.resume();
  }

  #end(): void {
    this.#setTurn(false);
    if (this.#hasReaderBegun) this.#reader?.push(null);
    this.#tellReceived(null);
  }

  #take(chunk: Buffer): void {
    if (this.#received !== null && !this.#hasRoomFor(chunk)) {
      this.#pause();
      this.#source.unshift(chunk);
      this.#tellReceived(null);
      return;
    }
    countStreamed(chunk.length);
    this.#readBytes += chunk.length;
    if (this.#bounds.bytesMax !== null && this.#readBytes > this.#bounds.bytesMax) {
      this.#breakOff(tooLarge());
      return;
    }
    this.#keep(chunk);
    const isWanted = this.#reader === null || (this.#hasReaderBegun && this.#reader.push(chunk));
    if (!isWanted) this.#pause();
  }

  #pause(): void {
    this.#source.pause();
    this.#setTurn(false);
  }

  #setTurn(isClients: boolean): void {
    this.#hooks.awaitClient(isClients);
    this.#watch.awaitClient(isClients);
  }

  #keep(chunk: Buffer): void {
    if (this.#kept === null) return;
    if (!this.#hasRoomFor(chunk)) {
      this.forget();
      return;
    }
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    this.#count.add(chunk.length);
  }

  #hasRoomFor({ length }: Buffer): boolean {
    const chunks = this.#kept?.length ?? KEPT_CHUNKS_MAX;
    const fits = this.#keptBytes + length <= this.#bounds.keptBytesMax && chunks < KEPT_CHUNKS_MAX;
    return fits && this.#count.mayKeep;
  }

  #tellReceived(error: Error | null): void {
    const received = this.#received;
    this.#received = null;
    received?.(error);
  }

  #breakOff(why: SignalboxError): void {
    if (this.isComplete) return;
    this.forget();
    this.#reader?.destroy(why);
    this.#tellReceived(why);
  }

  #detach(): void {
    this.#reader = null;
    if (this.#isReading) this.#pause();
  }
}

function whyBroken({ errored }: Readable): SignalboxError {
  return errored instanceof SignalboxError ? errored : broken('was broken off by the client');
}

function tooLarge(): SignalboxError {
  return new SignalboxError(
    'request_body_too_large',
    'client',
    'The request body is longer than its route accepts.',
  );
}

function notKept(): SignalboxError {
  return broken('is not kept to be read again');
}

function broken(what: string): SignalboxError {
  return new SignalboxError('request_body_broken', 'client', `The request body ${what}.`);
}
