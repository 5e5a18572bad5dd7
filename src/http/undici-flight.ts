import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { SignalboxError } from '#core/errors.ts';
import { type FlatHeaders, headerList } from '#core/headers.ts';
import type { TransportController, TransportHandler } from './transport.ts';

type Controller = Dispatcher.DispatchController;

/** One request that undici carries: its handler on one side, the controller of ours on the other. */
export class UndiciFlight implements Dispatcher.DispatchHandler, TransportController {
  rawHeaders: FlatHeaders = [];
  rawTrailers: FlatHeaders = [];
  readonly #handler: TransportHandler;
  #controller: Controller | null = null;

  constructor(handler: TransportHandler) {
    this.#handler = handler;
  }

  // -- the handler's controller ----------------------------------------------------------------------------

  get paused(): boolean {
    return this.#controller?.paused ?? false;
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  abort(reason: Error): void {
    this.#controller?.abort(reason);
  }

  // -- undici's handler ------------------------------------------------------------------------------------

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    this.#handler.onRequestStart(this);
  }

  onRequestUpgrade(controller: Controller, _status: number, _headers: unknown, socket: Duplex): void {
    this.rawHeaders = textsOf(controller.rawHeaders);
    this.#handler.onRequestUpgrade(this, socket);
  }

  onResponseStart(controller: Controller, status: number, _headers: unknown, reason = ''): void {
    this.rawHeaders = textsOf(controller.rawHeaders);
    if (status >= 200 && hasUnknownCoding(this.rawHeaders)) {
      const text = 'Only chunked was asked for.';
      controller.abort(new SignalboxError('upstream_transfer_coding', 'upstream', text));
    } else this.#handler.onResponseStart(this, status, reason);
  }

  onResponseData(_: Controller, chunk: Buffer): void {
    this.#handler.onResponseData(this, chunk);
  }

  onResponseEnd(controller: Controller): void {
    this.rawTrailers = textsOf(controller.rawTrailers);
    this.#handler.onResponseEnd(this);
  }

  onResponseError(controller: Controller | null, error: Error): void {
    this.#handler.onResponseError(controller && this, error);
  }

  onBodySent(chunk: Buffer): void {
    this.#handler.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.#handler.onRequestSent?.();
  }
}

/** Our own transports take no answer with another one. */
function hasUnknownCoding(headers: FlatHeaders): boolean {
  const coding = headerList(headers, 'transfer-encoding');
  return coding !== null && coding.trim().toLowerCase() !== 'chunked';
}

/** Raw fields as text; bytes beyond ASCII stay what they are (RFC 9110 §5.5: obs-text). */
function textsOf(raw: Controller['rawHeaders']): FlatHeaders {
  if (!Array.isArray(raw)) return [];
  return raw.map((part: string | Buffer) => (typeof part === 'string' ? part : part.toString('latin1')));
}
