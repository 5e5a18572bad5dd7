import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { SignalboxError } from '#core/errors.ts';
import { fieldName } from '#core/field-names.ts';
import { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import { malformedAnswer } from './h1-dispatcher/errors.ts';
import type { TransportController, TransportHandler } from './transport.ts';

type Controller = Dispatcher.DispatchController;

/** One request that undici carries: its handler on one side, the controller of ours on the other. */
export class UndiciFlight implements Dispatcher.DispatchHandler, TransportController {
  fields = new Fields();
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
    if (this.#reads(controller)) this.#handler.onRequestUpgrade(this, socket);
    else socket.destroy();
  }

  onResponseStart(controller: Controller, status: number, _headers: unknown, reason = ''): void {
    if (!this.#reads(controller)) return;
    if (status >= 200 && hasUnknownCoding(this.fields)) {
      const text = 'Only chunked was asked for.';
      controller.abort(new SignalboxError('upstream_transfer_coding', 'upstream', text));
    } else this.#handler.onResponseStart(this, status, reason);
  }

  onResponseData(_: Controller, chunk: Buffer): void {
    this.#handler.onResponseData(this, chunk, 0, chunk.length);
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

  /** False where they are no fields, which ends the request. */
  #reads(controller: Controller): boolean {
    this.fields = Fields.of(textsOf(controller.rawHeaders));
    if (!this.fields.isSound) controller.abort(malformedAnswer('control_character'));
    return this.fields.isSound;
  }
}

const TRANSFER_ENCODING = fieldName('transfer-encoding');

/** Our own transports take no answer with another one. */
function hasUnknownCoding(fields: Fields): boolean {
  const coding = fields.list(TRANSFER_ENCODING);
  return coding !== null && coding.trim().toLowerCase() !== 'chunked';
}

/** Raw fields as text; bytes beyond ASCII stay what they are (RFC 9110 §5.5: obs-text). */
function textsOf(raw: Controller['rawHeaders']): FlatHeaders {
  if (!Array.isArray(raw)) return [];
  return raw.map((part: string | Buffer) => (typeof part === 'string' ? part : part.toString('latin1')));
}
