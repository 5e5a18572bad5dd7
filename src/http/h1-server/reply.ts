import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Reply } from '#actors/request/reply.ts';
import type { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import { REASON_PHRASES } from '#core/reason-phrases.ts';
import { type Flushable, flushes } from '../flushes.ts';
import type { Minor } from '../h1/start-lines.ts';
import { chunkHead, LAST_CHUNK, lastChunk, ONE_TEXT_BYTES_MAX, responseHead } from '../h1/write-head.ts';
import { rawHead } from '../raw-head.ts';
import { kept } from '../read-buffers.ts';
import { responseFraming } from './response-framing.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const NO_TRAILERS: FlatHeaders = [];
const NOTHING = () => {};

/** What a reply asks of the connection that it is for. */
export interface ReplyHost {
  readonly socket: Socket;
  /** Of the head of the answer that is about to begin: `Connection` and its like, and END. */
  connectionEnd(closes: boolean): string;
  /** As `fieldLines` has it. */
  readonly dateLine: string;
  /** Whether the connection has to end with the answer that is about to begin. */
  readonly mustClose: boolean;
  expectProgress(idleMs: number, bytesPerSecondMin?: number): void;
  /** The client has to read before the answer is sent whole. */
  expectReading(): void;
  /** Something was written. */
  progressed(): void;
  /** So much of what was written is still to be read. */
  waits(bytes: number): void;
  /** Gives up the connection, with what was read of it and not used. */
  handOver(): Duplex;
}

/** What is known of the request that is answered. */
export type Asked = { readonly method: string; readonly minor: Minor; readonly awaitsContinue: boolean };

/** One answer in HTTP/1.1. Each listener may be set once. */
export class Http1Reply implements Reply, Flushable {
  status = 0;
  /** Whether the connection ends with this answer. */
  isClosing = false;
  isSent = false;
  readonly #host: ReplyHost;
  readonly #asked: Asked;
  #awaitsContinue: boolean;
  #isChunked = false;
  /** Of the body, until it is whole; Infinity where only its end tells. */
  #bytesLeft = 0;
  /** What waits for what follows it, so that both leave at once. */
  #text = '';
  #isFlushDue = false;
  #isEnded = false;
  #drained = NOTHING;
  #sent = NOTHING;
  #left = NOTHING;

  constructor(host: ReplyHost, asked: Asked) {
    this.#host = host;
    this.#asked = asked;
    this.#awaitsContinue = asked.awaitsContinue;
  }

  get isGone(): boolean {
    return this.#host.socket.destroyed;
  }

  head(status: number, reason: string, fields: Fields): void {
    const framing = responseFraming(this.#asked.method, this.#asked.minor, status, fields);
    // A client that was not told to go on may send its body or not, and nobody could tell.
    const closes = framing.endsWithConnection || this.#awaitsContinue || this.#host.mustClose;
    const { lines, hasDate } = framing;
    const end = `${lines}${hasDate ? '' : this.#host.dateLine}${this.#host.connectionEnd(closes)}`;
    const head = rawHead(status, reason, fields, end);
    this.status = status;
    this.isClosing = closes;
    this.#isChunked = framing.isChunked;
    this.#bytesLeft = framing.bytes;
    this.#add(head);
  }

  inform(status: number, fields: Fields): void {
    if (this.status !== 0 || this.#asked.minor === 0) return;
    const head = responseHead(status, REASON_PHRASES[status] ?? '', fields);
    if (head !== null) this.#add(head);
  }

  write(chunk: Buffer | string, from = 0, to = chunk.length): boolean {
    if (typeof chunk === 'string') return this.write(Buffer.from(chunk));
    const { socket } = this.#host;
    const hasBody = this.#bytesLeft > 0 && to > from;
    if (!hasBody || this.#isEnded) return true;
    this.#bytesLeft -= to - from;
    // More than was declared would be read as the next answer.
    if (this.#bytesLeft < 0) this.cut();
    else this.#writeBody(chunk, from, to);
    if (!socket.writableNeedDrain) return true;
    this.#host.waits(socket.writableLength);
    return false;
  }

  end(trailers: FlatHeaders = NO_TRAILERS): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const isWhole = this.#bytesLeft === 0 || this.#bytesLeft === Infinity;
    if (!isWhole) {
      this.cut();
      return;
    }
    if (this.#isChunked) this.#add(lastChunk(trailers) ?? LAST_CHUNK);
    if (this.#text === '') this.#finish();
  }

  /** All of it is written, if not sent. */
  #finish(): void {
    if (this.#host.socket.writableLength === 0) {
      this.#tellSent();
      return;
    }
    this.#host.expectReading();
    this.#host.waits(this.#host.socket.writableLength);
    this.#host.socket.write('', () => this.#tellSent());
  }

  cut(): void {
    const { socket } = this.#host;
    if (this.isGone) return;
    // A client that hears nothing at all would think that its connection was idle for too long, and ask again.
    this.#flush();
    const endsWithConnection = this.#bytesLeft === Infinity && !this.#isChunked;
    // Where only the end tells that an answer is whole, it has to be an error; in TLS, an end without warning is one.
    if (endsWithConnection && !('encrypted' in socket)) socket.resetAndDestroy();
    else socket.destroy();
  }

  switchProtocols(fields: Fields): Duplex | null {
    if (this.isGone) return null;
    const head = rawHead(101, 'Switching Protocols', fields);
    this.#flush();
    this.status = 101;
    this.#isEnded = true;
    this.#left = NOTHING;
    this.#host.socket.write(head, 'latin1');
    return this.#host.handOver();
  }

  expectProgress(idleMs: number, bytesPerSecondMin = 0): void {
    this.#host.expectProgress(idleMs, bytesPerSecondMin);
  }

  inviteBody(): void {
    if (!this.#awaitsContinue || this.status !== 0) return;
    this.#awaitsContinue = false;
    this.#host.socket.write(CONTINUE, 'latin1');
  }

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }

  onSent(listener: () => void): void {
    this.#sent = listener;
  }

  onLeft(listener: () => void): void {
    this.#left = listener;
  }

  // -- what the connection tells ---------------------------------------------------------------------

  drained(): void {
    this.#drained();
  }

  left(): void {
    if (!this.isSent) this.#left();
  }

  // -- writing -------------------------------------------------------------------------------------------

  #writeBody(bytes: Buffer, from: number, to: number): void {
    if (this.#isChunked) this.#text += chunkHead(to - from);
    const end = this.#isChunked ? '\r\n' : '';
    if (this.#text.length + to - from <= ONE_TEXT_BYTES_MAX) {
      this.#add(bytes.toString('latin1', from, to) + end);
      return;
    }
    const { socket } = this.#host;
    socket.cork();
    this.#flush();
    socket.write(kept(bytes.subarray(from, to)));
    if (this.#isChunked) socket.write(end, 'latin1');
    socket.uncork();
    this.#host.progressed();
  }

  /** To be sent with what follows, or by itself when nothing follows at once. */
  #add(text: string): void {
    this.#text += text;
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    flushes.add(this);
  }

  flush(): void {
    this.#isFlushDue = false;
    if (this.#text === '' || this.isGone) return;
    this.#flush();
    if (this.#isEnded) this.#finish();
  }

  #flush(): void {
    if (this.#text === '') return;
    const text = this.#text;
    this.#text = '';
    this.#host.socket.write(text, 'latin1');
    this.#host.progressed();
  }

  #tellSent(): void {
    this.#host.waits(0);
    if (this.isSent || this.isGone) return;
    this.isSent = true;
    this.#sent();
  }
}
