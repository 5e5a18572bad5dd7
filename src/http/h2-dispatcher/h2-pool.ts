import type { Clock } from '#core/clock.ts';
import type { UpstreamConnectionSettings } from '#core/settings.ts';
import { Flight } from '../flight.ts';
import type { Transport, TransportHandler, TransportRequest } from '../transport.ts';
import { letGo } from '../transport-body.ts';
import { malformedRequest, poolClosed, tooManyWaiting } from '../transport-errors.ts';
import type { OpenUpstream } from '../upstream-connector.ts';
import { WaitingFlights } from '../waiting-flights.ts';
import { noUpgrade } from './errors.ts';
import { type Outgoing, outgoingOf, type Scheme } from './outgoing.ts';
import { Session, type SessionOptions, type SessionOwner, STREAMS_MAX } from './session.ts';

/** Requests that one connection carries in its life, of the 2^30 that there are ids for. */
const REQUESTS_MAX = 2 ** 29;

export type H2PoolOptions = {
  readonly open: OpenUpstream;
  readonly scheme: Scheme;
  /** Until the upstream has said that it speaks HTTP/2, TCP and TLS included. */
  readonly connectMs: number;
  readonly settings: Omit<UpstreamConnectionSettings, 'transport'>;
  readonly clock: Clock;
  /** Requests that one connection carries in its life; default: nearly all that there are ids for. */
  readonly requestsMax?: number;
};

/**
 * The connections in HTTP/2 to one upstream, each for as many requests at a time as the upstream takes. There is
 * another one only when all are full; requests beyond what they may carry together wait their turn.
 */
export class H2Pool implements Transport, SessionOwner {
  readonly #open: OpenUpstream;
  readonly #options: SessionOptions;
  readonly #sessionsMax: number;
  readonly #clock: Clock;
  readonly #sessions = new Set<Session>();
  readonly #waiting = new WaitingFlights<Outgoing>();
  #opening = 0;
  #isClosed = false;
  readonly #onEmpty: (() => void)[] = [];

  constructor({ open, scheme, connectMs, settings, clock, requestsMax = REQUESTS_MAX }: H2PoolOptions) {
    const { responseHeadBytesMax, responseHeaderCountMax, keepAliveMs } = settings;
    const headLimits = { bytesMax: responseHeadBytesMax, fieldsMax: responseHeaderCountMax };
    this.#open = open;
    this.#options = { scheme, headLimits, connectMs, keepAliveMs, requestsMax };
    this.#sessionsMax = settings.connectionsMax;
    this.#clock = clock;
  }

  /** Returns whether the request was sent at once. */
  dispatch(request: TransportRequest, handler: TransportHandler): boolean {
    const outgoing = outgoingOf(request, this.#options.scheme);
    const refusal = this.#refusalOf(request, outgoing);
    if (outgoing === null || refusal !== null) {
      letGo(request.body);
      handler.onResponseError(null, refusal ?? malformedRequest());
      return false;
    }
    const flight = new Flight(request, outgoing, handler);
    for (const session of this.#sessions) {
      if (session.room > 0) return session.carry(flight);
    }
    this.#waiting.add(flight);
    this.#openMore();
    return false;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    if (this.#waiting.size === 0) for (const session of this.#sessions) session.retire();
    return new Promise((resolve) => {
      this.#onEmpty.push(resolve);
      this.#tellIfEmpty();
    });
  }

  async destroy(): Promise<void> {
    this.#isClosed = true;
    const error = poolClosed();
    const waiting = this.#waiting.take();
    for (const session of this.#sessions) session.destroy(error);
    for (const flight of waiting) flight.fail(error);
    this.#tellIfEmpty();
  }

  // -- of its sessions -----------------------------------------------------------------------------------

  opened(session: Session): void {
    this.#opening--;
    this.freed(session);
    this.#openMore();
  }

  freed(session: Session): void {
    while (session.room > 0) {
      const flight = this.#waiting.next();
      if (flight === null) break;
      session.carry(flight);
    }
    if (this.#isClosed && this.#waiting.size === 0) session.retire();
  }

  closed(session: Session, openError: Error | null): void {
    this.#sessions.delete(session);
    if (openError !== null) {
      this.#opening--;
      // It would have carried so many; the next one is opened for those behind them.
      for (const flight of this.#waiting.take(STREAMS_MAX)) flight.fail(openError);
    }
    // Nobody else would tell that there is no need for another one.
    this.#waiting.forgetGivenUp();
    this.#openMore();
    this.#tellIfEmpty();
  }

  /** As many as those who wait need, as long as there may be more; none while the upstream takes nothing at all. */
  #openMore(): void {
    for (const session of this.#sessions) if (session.takesNothing) return;
    while (this.#opening * STREAMS_MAX < this.#waiting.size && this.#sessions.size < this.#sessionsMax) {
      this.#opening++;
      this.#sessions.add(new Session(this.#open, this.#options, this, this.#clock));
    }
  }

  #refusalOf({ upgrade }: TransportRequest, outgoing: Outgoing | null): Error | null {
    if (upgrade) return noUpgrade();
    if (outgoing === null) return malformedRequest();
    if (this.#isClosed) return poolClosed();
    return this.#waiting.hasRoom() ? null : tooManyWaiting();
  }

  #tellIfEmpty(): void {
    if (!this.#isClosed || this.#sessions.size > 0 || this.#waiting.size > 0) return;
    for (const tell of this.#onEmpty.splice(0)) tell();
  }
}
