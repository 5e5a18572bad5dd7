import { type ClientHttp2Stream, constants } from 'node:http2';
import { Fields } from '#core/fields.ts';
import { type FlatHeaders, headerValue } from '#core/headers.ts';
import { REASON_PHRASES } from '#core/reason-phrases.ts';
import type { Carrier, Flight } from '../flight.ts';
import { TRAILER_LIMITS } from '../h1/chunked-decoder.ts';
import { INFORMATIONAL_MAX } from '../transport.ts';
import { streamOf } from '../transport-body.ts';
import { unprocessed } from '../transport-errors.ts';
import { BodyWriter } from './body-writer.ts';
import { malformedFields, streamFailed, tooManyHeaders, tooManyInformational } from './errors.ts';
import type { Outgoing } from './outgoing.ts';

/** What a stream tells the session that it belongs to, and asks of it. */
export type StreamHost = {
  /** Of a head's names and values. */
  readonly headBytesMax: number;
  /** The upstream has said something. */
  heard(): void;
  /** It has answered. */
  answered(): void;
  /** Nobody waits for the stream any more. */
  dropped(stream: ExchangeStream): void;
  closed(stream: ExchangeStream): void;
  /** Whether the upstream has said that it will not begin on this stream any more. */
  isRefused(id: number): boolean;
};

const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM, NGHTTP2_REFUSED_STREAM } = constants;

/** One request and its answer on a stream of their own; both may be under way at once. */
export class ExchangeStream implements Carrier {
  readonly #stream: ClientHttp2Stream;
  readonly #flight: Flight<Outgoing>;
  readonly #host: StreamHost;
  #writer: BodyWriter | null = null;
  #informational = 0;
  #trailers: FlatHeaders = [];
  /** END_STREAM has come: the answer is as long as it was meant to be. */
  #isWhole = false;

  constructor(stream: ClientHttp2Stream, flight: Flight<Outgoing>, host: StreamHost) {
    this.#stream = stream;
    this.#flight = flight;
    this.#host = host;
    watchEnd(stream, () => {
      this.#isWhole = true;
    });
    stream.on('headers', (headers, _, raw) => this.#inform(Number(headers[':status']), raw));
    stream.on('response', (headers, flags, raw) => this.#answer(Number(headers[':status']), flags, raw));
    stream.on('trailers', (_headers, _flags, raw) => {
      this.#trailers = this.#bounded(raw, TRAILER_LIMITS.bytesMax);
    });
    stream.on('end', () => this.#end());
    stream.on('error', (error) => this.#fail(error));
    stream.on('close', () => this.#close());
  }

  /** Sends the body, or that there is none; the head is on its way. */
  start(): void {
    const { outgoing, body, handler } = this.#flight;
    if (body === null) handler.onRequestSent?.();
    else this.#writer = new BodyWriter(this.#stream, outgoing, streamOf(body), this);
  }

  // -- of its flight -------------------------------------------------------------------------------------

  resumed(): void {
    this.#stream.resume();
  }

  dropped(): void {
    this.#writer?.stop();
    this.#cancel();
    this.#host.dropped(this);
  }

  /**
   * In a turn of its own: within a callback of nghttp2, node:http2 may destroy a stream that is to have trailers, and
   * end the process over it.
   */
  #cancel(): void {
    setImmediate(() => this.#stream.close(NGHTTP2_CANCEL));
  }

  bodyFailed(error: Error): void {
    this.#flight.abort(error);
  }

  bodySent(chunk: Buffer): void {
    this.#flight.handler.onBodySent?.(chunk);
  }

  requestSent(): void {
    this.#flight.handler.onRequestSent?.();
  }

  // -- what the upstream says ----------------------------------------------------------------------------

  #inform(status: number, raw: FlatHeaders): void {
    this.#host.heard();
    if (this.#flight.isOver || status === 100) return;
    if (++this.#informational > INFORMATIONAL_MAX) {
      this.#flight.abort(tooManyInformational());
      return;
    }
    this.#head(status, raw);
  }

  #answer(status: number, flags: number, raw: FlatHeaders): void {
    this.#host.heard();
    this.#host.answered();
    const isAll = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
    this.#head(status, isAll ? withoutBody(this.#flight.method, status, raw) : raw);
    this.#stream.on('data', (chunk: Buffer) => this.#data(chunk));
    if (this.#flight.paused) this.#stream.pause();
  }

  #head(status: number, raw: FlatHeaders): void {
    const flight = this.#flight;
    flight.fields = Fields.of(this.#bounded(raw, this.#host.headBytesMax));
    if (!flight.fields.isSound) flight.abort(malformedFields());
    if (!flight.isOver) this.#tell(() => flight.answer(status, REASON_PHRASES[status] ?? ''));
  }

  /** Fields, less the pseudo-header fields in front. None where they are too many, which ends the stream. */
  #bounded(raw: FlatHeaders, bytesMax: number): string[] {
    let at = 0;
    while (raw[at]?.startsWith(':')) at += 2;
    const fields = raw.slice(at);
    // An upstream that has not acknowledged our SETTINGS is not held to them by node:http2.
    let bytes = 0;
    for (const text of fields) bytes += text.length;
    if (bytes <= bytesMax) return fields;
    this.#flight.abort(tooManyHeaders());
    return [];
  }

  #data(chunk: Buffer): void {
    this.#host.heard();
    const flight = this.#flight;
    if (flight.isOver) return;
    this.#tell(() => flight.handler.onResponseData(flight, chunk, 0, chunk.length));
    if (flight.paused) this.#stream.pause();
  }

  #end(): void {
    if (this.#flight.isOver) return;
    if (!this.#isWhole) {
      this.#fail(null);
      return;
    }
    this.#writer?.stop();
    // The upstream has said all that it has to say: the rest of the body is nothing to it.
    if (!this.#stream.writableFinished) this.#cancel();
    this.#flight.end(this.#trailers);
  }

  #close(): void {
    this.#fail(null);
    this.#host.closed(this);
  }

  #fail(error: Error | null): void {
    if (this.#flight.isOver) return;
    this.#writer?.stop();
    const { id = 0, rstCode = 0 } = this.#stream;
    const isRefused = rstCode === NGHTTP2_REFUSED_STREAM || this.#host.isRefused(id);
    this.#flight.fail(isRefused ? unprocessed() : streamFailed(error, rstCode));
  }

  /** What the handler throws is told to it, and ends the stream. */
  #tell(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#flight.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/**
 * Tells when the peer ends its side by END_STREAM. To node:http2, RST_STREAM with NO_ERROR is an end like any
 * other, and an answer that is cut short by it would pass for whole.
 */
function watchEnd(stream: ClientHttp2Stream, ended: () => void): void {
  const push = stream.push;
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null && !stream.closed) ended();
    return push.call(stream, chunk, encoding);
  };
}

/**
 * The head of an answer that is its whole, told in it: who passes it on does not have to wait for an end. A call
 * of gRPC that fails at once is answered so, and not understood in any other way (Trailers-Only).
 */
function withoutBody(method: string, status: number, raw: FlatHeaders): FlatHeaders {
  const mayHaveNone = method === 'HEAD' || status === 204 || status === 304;
  return mayHaveNone || headerValue(raw, 'content-length') !== null ? raw : [...raw, 'content-length', '0'];
}
