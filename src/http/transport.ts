import type { Duplex } from 'node:stream';
import type { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import type { TransportBody } from './transport-body.ts';

/** Informational answers before the one that counts. */
export const INFORMATIONAL_MAX = 16;

/**
 * What forwarding asks of an HTTP client, much as undici's `Dispatcher` has it. For HTTP/1.1 there are two, undici's own
 * and `h1-dispatcher/`, which pass one suite of tests; for HTTP/2 there is `h2-dispatcher/`.
 */
export interface Transport {
  /** Never throws: whatever happens is told to the handler, maybe before this returns. */
  dispatch(request: TransportRequest, handler: TransportHandler): boolean;
  /** Takes no more requests, and resolves when the last one has ended. */
  close(): Promise<void>;
  /** Ends every request and every connection. */
  destroy(): Promise<void>;
}

export type TransportRequest = {
  readonly method: string;
  /** The request target. */
  readonly path: string;
  /** What frames the request, but for Content-Length, is for the transport to add. */
  readonly headers: Fields;
  readonly body?: TransportBody | null;
  /** What goes behind a body of no declared length, asked for when it has ended. undici cannot send any. */
  readonly trailers?: () => FlatHeaders;
  /** Whether whoever asks takes trailers, for the transport to say so (RFC 9110 §10.1.4). undici cannot. */
  readonly takesTrailers?: boolean;
  /** The protocol to switch to, which the transport asks for. */
  readonly upgrade?: string | null;
};

/** Each request belongs to its handler's first call that ends it: an upgrade, the end, or an error. */
export interface TransportHandler {
  /** Whether nobody waits for this request any more, so that it need not be kept until it could start. */
  readonly isGivenUp?: boolean;

  /** The request is about to be written. What throws here is not sent. */
  onRequestStart(controller: TransportController): void;
  /** A head, informational ones included. Its fields are the controller's. */
  onResponseStart(controller: TransportController, status: number, reason: string): void;
  /** The answer is 101, and the connection is the handler's from here on. */
  onRequestUpgrade(controller: TransportController, socket: Duplex): void;
  /**
   * What stands from `from` to `to`. After `pause`, not before `resume`. What is to last longer than the call has to be
   * `kept`.
   */
  onResponseData(controller: TransportController, bytes: Buffer, from: number, to: number): void;
  /** The trailers are the controller's `rawTrailers`. */
  onResponseEnd(controller: TransportController): void;
  onResponseError(controller: TransportController | null, error: Error): void;
  /** A piece of the body was handed to the connection. */
  onBodySent?(chunk: Buffer): void;
  /** All of the request was. */
  onRequestSent?(): void;
}

/** Of one request. */
export interface TransportController {
  /** Of the last head. */
  readonly fields: Fields;
  /** Name, value, name, value … as received, once the answer has ended. */
  readonly rawTrailers: FlatHeaders;
  readonly paused: boolean;
  pause(): void;
  resume(): void;
  /** The handler is told that it failed with this, unless it has ended. */
  abort(reason: Error): void;
}
