import type { Clock } from '#core/clock.ts';
import type { UpstreamConnectionSettings } from '#core/settings.ts';
import { Flight } from '../flight.ts';
import type { HeadLimits } from '../h1/head-parser.ts';
import type { Transport, TransportHandler, TransportRequest } from '../transport.ts';
import { letGo } from '../transport-body.ts';
import { malformedRequest, poolClosed, tooManyWaiting } from '../transport-errors.ts';
import { WaitingFlights } from '../waiting-flights.ts';
import { Connection, type ConnectionOwner, type Opener } from './connection.ts';
import { IdleConnections } from './idle-connections.ts';
import { type Outgoing, outgoingOf } from './outgoing.ts';

/** Between the time that an upstream keeps a connection and ours, so that no request meets its end half-way. */
const KEEP_ALIVE_MARGIN_MS = 1000;

/** The connections to one upstream, each for one request at a time; requests beyond that wait their turn. */
export class H1Pool implements Transport, ConnectionOwner {
  readonly #open: Opener;
  readonly #settings: UpstreamConnectionSettings;
  readonly #headLimits: HeadLimits;
  readonly #clock: Clock;
  readonly #connections = new Set<Connection>();
  readonly #idle: IdleConnections;
  readonly #waiting = new WaitingFlights<Outgoing>();
  #opening = 0;
  #isClosed = false;
  readonly #onEmpty: (() => void)[] = [];

  constructor(open: Opener, settings: UpstreamConnectionSettings, clock: Clock) {
    this.#open = open;
    this.#settings = settings;
    this.#headLimits = {
      bytesMax: settings.responseHeadBytesMax,
      fieldsMax: settings.responseHeaderCountMax,
    };
    this.#clock = clock;
    this.#idle = new IdleConnections(clock);
  }

  /** Returns whether the request was sent at once. */
  dispatch(request: TransportRequest, handler: TransportHandler): boolean {
    const outgoing = outgoingOf(request);
    if (outgoing === null || this.#isClosed || !this.#waiting.hasRoom()) {
      letGo(request.body);
      handler.onResponseError(null, this.#refusal(outgoing === null));
      return false;
    }
    const flight = new Flight(request, outgoing, handler);
    const connection = this.#idle.pop();
    if (connection === null) {
      this.#waiting.add(flight);
      this.#openMore();
      return false;
    }
    const isSent = connection.carry(flight);
    if (!isSent) this.#idle.push(connection);
    return isSent;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#idle.closeAll();
    return new Promise((resolve) => {
      this.#onEmpty.push(resolve);
      this.#tellIfEmpty();
    });
  }

  async destroy(): Promise<void> {
    this.#isClosed = true;
    const error = poolClosed();
    const waiting = this.#waiting.take();
    this.#idle.closeAll();
    for (const connection of this.#connections) connection.close(error);
    for (const flight of waiting) flight.fail(error);
    this.#tellIfEmpty();
  }

  // -- of its connections --------------------------------------------------------------------------------

  opened(connection: Connection): void {
    this.#opening--;
    this.freed(connection, null);
  }

  freed(connection: Connection, keepAliveSeconds: number | null): void {
    for (let flight = this.#waiting.next(); flight !== null; flight = this.#waiting.next()) {
      if (connection.carry(flight)) return;
    }
    if (this.#isClosed) connection.close(null);
    else {
      connection.idleUntilMs = this.#clock.monotonicMs() + this.#keepAliveMs(keepAliveSeconds);
      this.#idle.push(connection);
    }
  }

  closed(connection: Connection, openError: Error | null): void {
    this.#connections.delete(connection);
    this.#idle.remove(connection);
    if (openError !== null) {
      this.#opening--;
      this.#waiting.next()?.fail(openError);
    }
    this.#openMore();
    this.#tellIfEmpty();
  }

  /** As many as wait, as long as there may be more. */
  #openMore(): void {
    while (this.#opening < this.#waiting.size && this.#connections.size < this.#settings.connectionsMax) {
      this.#opening++;
      this.#connections.add(new Connection(this.#open, this, this.#headLimits, this.#clock));
    }
  }

  /** The upstream's own limit is no reason to keep a connection longer than we would. */
  #keepAliveMs(hintSeconds: number | null): number {
    const { keepAliveMs } = this.#settings;
    if (hintSeconds === null) return keepAliveMs;
    const hintMs = hintSeconds * 1000;
    return Math.min(keepAliveMs, hintMs - Math.min(KEEP_ALIVE_MARGIN_MS, hintMs / 2));
  }

  #refusal(isMalformed: boolean): Error {
    if (isMalformed) return malformedRequest();
    return this.#isClosed ? poolClosed() : tooManyWaiting();
  }

  #tellIfEmpty(): void {
    if (!this.#isClosed || this.#connections.size > 0 || this.#waiting.size > 0) return;
    for (const tell of this.#onEmpty.splice(0)) tell();
  }
}
