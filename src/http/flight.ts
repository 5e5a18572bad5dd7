import { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import type { TransportController, TransportHandler, TransportRequest } from './transport.ts';
import { letGo, type TransportBody } from './transport-body.ts';

/** What carries a flight: a connection. */
export type Carrier = {
  /** The flight goes on after it was paused. */
  resumed(): void;
  /** The flight was aborted. */
  dropped(): void;
};

const NO_FIELDS = new Fields();
const NO_TRAILERS: FlatHeaders = [];

/** One request on its way, from the moment it is asked for until its handler is told how it ended. */
export class Flight<Outgoing> implements TransportController {
  readonly method: string;
  /** The request as it will be written. */
  readonly outgoing: Outgoing;
  readonly body: TransportBody | null;
  /** Lower case. */
  readonly upgrade: string | null;
  readonly handler: TransportHandler;
  fields = NO_FIELDS;
  rawTrailers: FlatHeaders = NO_TRAILERS;
  paused = false;
  isOver = false;
  carrier: Carrier | null = null;

  constructor({ method, body, upgrade }: TransportRequest, outgoing: Outgoing, handler: TransportHandler) {
    this.method = method;
    this.outgoing = outgoing;
    this.body = body ?? null;
    this.upgrade = upgrade ? upgrade.toLowerCase() : null;
    this.handler = handler;
  }

  // -- for the handler -----------------------------------------------------------------------------------

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.carrier?.resumed();
  }

  abort(reason: Error): void {
    if (this.isOver) return;
    this.carrier?.dropped();
    this.fail(reason);
  }

  // -- for its carrier -----------------------------------------------------------------------------------

  /** False when the request is given up: nothing of it may be written. */
  start(): boolean {
    try {
      this.handler.onRequestStart(this);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
    return !this.isOver;
  }

  answer(status: number, reason: string): void {
    this.handler.onResponseStart(this, status, reason);
  }

  /** Over, since its connection belongs to the handler now. */
  finish(): void {
    this.isOver = true;
    this.carrier = null;
  }

  end(trailers: FlatHeaders): void {
    this.finish();
    this.rawTrailers = trailers;
    this.handler.onResponseEnd(this);
  }

  fail(error: Error): void {
    if (this.isOver) return;
    this.finish();
    letGo(this.body);
    this.handler.onResponseError(this, error);
  }
}
