import { constants, type ServerHttp2Stream, type ServerStreamResponseOptions } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Reply } from '#actors/request/reply.ts';
import { Deadline } from '#core/deadline.ts';
import { SignalboxError } from '#core/errors.ts';
import { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import { Hold } from '#shared/held-bytes.ts';
import { ClientPace } from '../client-pace.ts';
import { responseFraming } from '../h1-server/response-framing.ts';
import type { ServerContext } from '../h1-server/server-context.ts';
import { groupedFields } from '../h2-fields.ts';
import { kept } from '../read-buffers.ts';
import { RESET_CONTENT, responseFields } from './response-fields.ts';

const STATUS_MAX = 599;
const BAD_GATEWAY = 502;

const NO_TRAILERS: FlatHeaders = [];
const CONTINUE = { ':status': 100 } as const;

/** What is known of the request that is answered. */
export type Asked = {
  readonly method: string;
  readonly awaitsContinue: boolean;
  /** Breaks off its body, if it has one that has not come whole; false if not. */
  readonly giveUpBody: () => boolean;
};

/** One answer in HTTP/2 (RFC 9113 §8.1). Each listener may be set once. */
export class Http2Reply implements Reply {
  status = 0;
  isSent = false;
  /** Whether we have reset the stream. */
  isCut = false;
  readonly #stream: ServerHttp2Stream;
  readonly #asked: Asked;
  readonly #server: ServerContext;
  readonly #deadline: Deadline;
  readonly #pace: ClientPace;
  /** What the client has not read yet. */
  readonly #unread: Hold;
  #awaitsContinue: boolean;
  /** Of the body, until it is whole; Infinity where only its end tells. */
  #bytesLeft = 0;
  /** Trailers may follow, and are to be sent before the answer is whole. */
  #awaitsTrailers = false;
  #trailers = NO_TRAILERS;
  #isEnded = false;
  /** The head, until it is sent. With the whole body, if that follows at once: measured, it costs half as much. */
  #fields: string[] | null = null;
  #drained = () => {};
  #sent = () => {};
  #left = () => {};

  constructor(stream: ServerHttp2Stream, asked: Asked, server: ServerContext) {
    this.#stream = stream;
    this.#asked = asked;
    this.#server = server;
    this.#awaitsContinue = asked.awaitsContinue;
    this.#deadline = new Deadline(server.clock, { wake: () => this.#onDeadline() });
    this.#pace = new ClientPace(server.clock, server.rateWindowMs);
    this.#pace.begin();
    this.#unread = new Hold(server.held);
    stream.on('drain', () => this.#onDrain());
    stream.on('finish', () => this.#tellIfSent());
    stream.on('wantTrailers', () => this.#sendTrailers());
  }

  get isGone(): boolean {
    return this.isCut || this.#stream.closed || this.#stream.destroyed;
  }

  head(status: number, _reason: string, headers: Fields): void {
    // Beyond, it is no status, and as good as a 5xx (RFC 9110 §15); node:http2 sends none such.
    const sent = status > STATUS_MAX ? BAD_GATEWAY : status;
    const framing = responseFraming(this.#asked.method, 1, sent, headers);
    const fields = responseFields(sent, headers);
    if (fields === null) {
      throw new SignalboxError(
        'answer_malformed',
        'signalbox',
        'An answer has a header that cannot be sent.',
      );
    }
    if (!framing.hasDate) fields.push('date', this.#server.date.text);
    this.status = sent;
    this.#bytesLeft = sent === RESET_CONTENT ? 0 : framing.bytes;
    this.#fields = fields;
    if (this.#bytesLeft === 0) this.#respond({ endStream: true });
    else process.nextTick(this.#respondInParts);
  }

  inform(status: number, headers: Fields): void {
    const fields = groupedFields(headers);
    if (this.status !== 0 || this.isGone || fields === null) return;
    this.#stream.additionalHeaders({ ...fields, ':status': status });
  }

  write(chunk: Buffer | string, from = 0, to = chunk.length): boolean {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk.subarray(from, to);
    const hasBody = this.#bytesLeft > 0 && bytes.length > 0;
    if (!hasBody || this.#isEnded || this.isGone) return true;
    this.#bytesLeft -= bytes.length;
    if (this.#bytesLeft === 0 && this.#fields !== null) {
      this.#respond({});
      this.#stream.end(kept(bytes), this.#progressed);
      return true;
    }
    this.#respondInParts();
    // More than was declared is an error of the stream (RFC 9113 §8.1.1), which the client would blame on us.
    if (this.#bytesLeft < 0) this.cut();
    else this.#stream.write(kept(bytes), this.#progressed);
    if (!this.#stream.writableNeedDrain) return true;
    this.#unread.set(this.#stream.writableLength);
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
    this.#trailers = trailers;
    if (this.isGone) return;
    // It may have to wait until the client reads.
    if (this.#pace.idleMs === 0) this.expectProgress(this.#server.keepAliveMs);
    this.#unread.set(this.#stream.writableLength);
    this.#respondInParts();
    // It has been ended already where there can be no body, or all of it was there at once.
    if (this.#stream.writableEnded) this.#tellIfSent();
    else this.#stream.end();
  }

  cut(): void {
    if (this.isGone) return;
    this.isCut = true;
    // In a turn of its own: within a callback of nghttp2, node:http2 may destroy a stream that is to have trailers,
    // and end the process over it.
    setImmediate(() => this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  }

  /** HTTP/2 has no such thing (RFC 9113 §8.6). */
  switchProtocols(): Duplex | null {
    return null;
  }

  expectProgress(idleMs: number, bytesPerSecondMin = 0): void {
    // The body may end, or be given up, while the client has an answer to read.
    if (idleMs === 0 && this.status !== 0) return;
    this.#pace.expect(idleMs, bytesPerSecondMin);
    this.#deadline.clear();
    this.#progressed();
  }

  inviteBody(): void {
    if (!this.#awaitsContinue || this.status !== 0 || this.isGone) return;
    this.#awaitsContinue = false;
    this.#stream.additionalHeaders(CONTINUE);
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

  // -- what the stream tells ---------------------------------------------------------------------------

  /** A piece of the request's body has come. */
  received(bytes: number): void {
    // Who has something to read makes no progress by sending.
    if (this.#stream.writableLength > 0) return;
    this.#pace.received(bytes);
    this.#progressed();
  }

  /** The stream is closed, in whatever way: that may be heard of before the answer's end is. */
  closed(): void {
    this.#deadline.cancel();
    this.#unread.set(0);
    this.#tellIfSent();
    if (!this.isSent) this.#left();
  }

  #onDrain(): void {
    this.#unread.set(0);
    this.#progressed();
    this.#drained();
  }

  // -- sending -------------------------------------------------------------------------------------------

  /** Trailers are waited for, be there any or not: else node:http2 ends a stream that is to be reset as if it were whole. */
  readonly #respondInParts = (): void => {
    if (this.#fields === null) return;
    this.#awaitsTrailers = true;
    this.#respond({ waitForTrailers: true });
  };

  #respond(options: ServerStreamResponseOptions): void {
    const fields = this.#fields ?? [];
    this.#fields = null;
    if (!this.isGone) this.#stream.respond(fields, options);
  }

  readonly #progressed = (): void => {
    const pace = this.#pace;
    if (pace.idleMs === 0 || this.isSent || this.isGone) return;
    this.#deadline.set(pace.mayTakeMs(this.status === 0, this.#stream.writableLength));
  };

  #onDeadline(): void {
    const isSending = this.status === 0;
    if (isSending && this.#pace.idleMs > 0 && this.#asked.giveUpBody()) this.#pace.begin();
    else if (!isSending && this.#pace.hasCaughtUp(this.#stream.writableLength)) {
      this.#deadline.set(this.#pace.idleMs);
    } else this.cut();
  }

  /** Also where the stream was closed, without an error, before node:http2 came to say that it had finished. */
  get #isFlushed(): boolean {
    const { writableFinished, closed, rstCode, writableLength } = this.#stream;
    return writableFinished || (closed && rstCode === constants.NGHTTP2_NO_ERROR && writableLength === 0);
  }

  #sendTrailers(): void {
    this.#stream.sendTrailers(groupedFields(Fields.of(this.#trailers)) ?? {});
    this.#awaitsTrailers = false;
    // node:http2 hands them to the system by then.
    setImmediate(() => this.#tellIfSent());
  }

  #tellIfSent(): void {
    if (this.isSent || this.isCut || !this.#isEnded || this.#awaitsTrailers || !this.#isFlushed) return;
    this.isSent = true;
    this.#deadline.cancel();
    this.#unread.set(0);
    this.#sent();
  }
}
