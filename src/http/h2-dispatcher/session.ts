import { type ClientHttp2Session, type ClientSessionOptions, connect } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock, Timer } from '#core/clock.ts';
import { Deadline } from '#core/deadline.ts';
import type { Flight } from '../flight.ts';
import type { HeadLimits } from '../h1/head-parser.ts';
import { connectionEnded } from '../transport-errors.ts';
import type { OpenUpstream } from '../upstream-connector.ts';
import { noHttp2, noSettings, sessionFailed, silent } from './errors.ts';
import { ExchangeStream, type StreamHost } from './exchange-stream.ts';
import type { Outgoing, Scheme } from './outgoing.ts';

/** Requests under way at once, if the upstream allows as many; as few as RFC 9113 §6.5.2 advises to allow. */
export const STREAMS_MAX = 100;
/** What the upstream may send ahead on all streams together; on one of them it is 64 KiB. */
const WINDOW_BYTES = 1024 * 1024;
/** What node:http2 keeps for one session, in MB. */
const SESSION_MB_MAX = 32;
/** When nothing was heard for so long, a request that is given up makes us ask by a PING whether anybody is there. */
export const SILENT_MS = 1000;
/** For the answer to that PING. */
export const PING_MS = 5000;
/** For a stream to be over once it was reset; one that takes longer is on a connection that is stuck. */
export const RESET_MS = 5000;

export type SessionOptions = {
  readonly scheme: Scheme;
  /** Of an answer's head. */
  readonly headLimits: HeadLimits;
  /** Until the upstream has said that it speaks HTTP/2, TCP and TLS included. */
  readonly connectMs: number;
  readonly keepAliveMs: number;
  /** Requests in its life: ids of streams come to an end (RFC 9113 §5.1.1). */
  readonly requestsMax: number;
};

/** Whose session it is. */
export type SessionOwner = {
  opened(session: Session): void;
  /** It may have room. */
  freed(session: Session): void;
  /** It is gone; the error is why it could not be opened. */
  closed(session: Session, openError: Error | null): void;
};

/**
 * One connection in HTTP/2 to an upstream. It counts as open when the upstream's SETTINGS have come: nothing is
 * written to one that does not speak HTTP/2, and nothing beyond what the upstream takes at once.
 */
export class Session implements StreamHost {
  readonly headBytesMax: number;
  readonly #options: SessionOptions;
  readonly #owner: SessionOwner;
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #opening: Timer;
  readonly #idle: Deadline;
  readonly #streams = new Set<ExchangeStream>();
  /** Those that were reset and are not over yet, with Clock.monotonicMs() of that, in its order. */
  readonly #resets = new Map<ExchangeStream, number>();
  readonly #resetDeadline: Deadline;
  #session: ClientHttp2Session | null = null;
  #error: Error | null = null;
  /** `retired`: it takes no more requests, and ends with the last one that it has. */
  #state: 'opening' | 'open' | 'retired' | 'closed' = 'opening';
  #requests = 0;
  /** Of the upstream's GOAWAY: it has not begun on what came after this stream. */
  #lastStreamId = Infinity;
  #heardMs = 0;
  #ping: Timer | null = null;
  /** One PING between two answers: servers take more of them for an attack. */
  #mayPing = true;

  constructor(open: OpenUpstream, options: SessionOptions, owner: SessionOwner, clock: Clock) {
    this.#options = options;
    this.headBytesMax = options.headLimits.bytesMax;
    this.#owner = owner;
    this.#clock = clock;
    this.#idle = new Deadline(clock, { wake: () => this.retire() });
    this.#resetDeadline = new Deadline(clock, { wake: () => this.#checkResets() });
    this.#opening = clock.after(options.connectMs, () => this.destroy(noSettings(options.connectMs)));
    this.#socket = open(null, (error) => this.#connected(error));
  }

  /** Requests that it could take on top of those that it has. */
  get room(): number {
    const session = this.#session;
    // It may have come to its end already, and not have told.
    const isUsable = session !== null && !session.closed && !session.destroyed;
    if (this.#state !== 'open' || !isUsable || this.#ping !== null) return 0;
    return Math.min(this.#allowed, STREAMS_MAX) - this.#streams.size;
  }

  /** The upstream wants no requests for now (RFC 9113 §6.5.2), and says when it does. */
  get takesNothing(): boolean {
    return this.#state === 'open' && this.#allowed === 0;
  }

  get #allowed(): number {
    return this.#session?.remoteSettings.maxConcurrentStreams ?? STREAMS_MAX;
  }

  /** Sends a request, for which there has to be room. False when it was given up before that. */
  carry(flight: Flight<Outgoing>): boolean {
    const session = this.#session;
    if (session === null || !flight.start()) return false;
    const { headers, trailers } = flight.outgoing;
    const options = { endStream: flight.body === null, waitForTrailers: trailers !== null };
    if (this.#streams.size === 0) {
      this.#idle.clear();
      // As long as nothing was asked, it was no silence.
      this.heard();
    }
    const stream = new ExchangeStream(session.request(headers, options), flight, this);
    this.#streams.add(stream);
    flight.carrier = stream;
    stream.start();
    if (++this.#requests >= this.#options.requestsMax) this.retire();
    return true;
  }

  /** Takes no more requests, and ends when the last one has. */
  retire(): void {
    if (this.#state === 'opening') this.destroy(connectionEnded());
    if (this.#state !== 'open') return;
    this.#state = 'retired';
    this.#closeIfUnused();
  }

  /** Ends it, and fails what is on it. */
  destroy(error: Error): void {
    if (this.#state === 'closed') return;
    this.#error ??= error;
    if (this.#state === 'opening') this.#closed();
    this.#session?.destroy(error);
    this.#socket.destroy();
  }

  // -- of its streams ------------------------------------------------------------------------------------

  isRefused(id: number): boolean {
    return id > this.#lastStreamId;
  }

  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  answered(): void {
    this.#mayPing = true;
  }

  dropped(stream: ExchangeStream): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#resets.size === 0) this.#resetDeadline.set(RESET_MS);
    this.#resets.set(stream, nowMs);
    const silentMs = nowMs - this.#heardMs;
    const session = this.#session;
    if (session === null || session.destroyed || !this.#mayPing || silentMs < SILENT_MS) return;
    this.#mayPing = false;
    this.#ping = this.#clock.after(PING_MS, () => this.destroy(silent('answer a PING', PING_MS)));
    session.ping(() => this.#pinged());
  }

  closed(stream: ExchangeStream): void {
    this.#streams.delete(stream);
    this.#resets.delete(stream);
    if (this.#resets.size === 0) this.#resetDeadline.clear();
    if (this.#streams.size === 0 && this.#state === 'open') this.#idle.set(this.#options.keepAliveMs);
    this.#closeIfUnused();
    this.#owner.freed(this);
  }

  /** After a GOAWAY, node:http2 tells neither of malformed frames nor, then, of the connection's end. */
  #checkResets(): void {
    const [oldestMs] = this.#resets.values();
    if (oldestMs === undefined) return;
    const leftMs = oldestMs + RESET_MS - this.#clock.monotonicMs();
    if (leftMs > 0) this.#resetDeadline.set(leftMs);
    else this.destroy(silent('close a stream that was reset', RESET_MS));
  }

  /** Our own GOAWAY would overtake a request that waits to be written, and undo it. */
  #closeIfUnused(): void {
    if (this.#state === 'retired' && this.#streams.size === 0) this.#session?.close();
  }

  // -- of its connection ---------------------------------------------------------------------------------

  #connected(error: Error | null): void {
    if (this.#state !== 'opening') return;
    if (error !== null) {
      this.destroy(error);
      return;
    }
    if (this.#socket instanceof TLSSocket && this.#socket.alpnProtocol !== 'h2') {
      this.destroy(noHttp2());
      return;
    }
    const session = connect(`${this.#options.scheme}://upstream.invalid`, this.#sessionOptions());
    this.#session = session;
    session.on('remoteSettings', () => this.#settled(session));
    session.on('goaway', (_, lastStreamId) => this.#leaving(lastStreamId));
    session.on('error', (error) => {
      this.#error ??= sessionFailed(error);
    });
    session.on('close', () => this.#closed());
  }

  #sessionOptions(): ClientSessionOptions {
    const { bytesMax, fieldsMax } = this.#options.headLimits;
    const options = {
      createConnection: () => this.#socket,
      settings: { enablePush: false, maxHeaderListSize: bytesMax },
      maxHeaderListPairs: fieldsMax,
      maxSessionMemory: SESSION_MB_MAX,
      // Clients that share a connection would find out about each other's headers by how well theirs are packed.
      maxDeflateDynamicTableSize: 0,
      // As in HTTP/1.1, what clients say twice is for the upstream to judge.
      strictSingleValueFields: false,
    };
    return options;
  }

  #settled(session: ClientHttp2Session): void {
    this.heard();
    if (this.#state === 'opening') {
      this.#state = 'open';
      this.#opening.cancel();
      session.setLocalWindowSize(WINDOW_BYTES);
      this.#idle.set(this.#options.keepAliveMs);
      this.#owner.opened(this);
    } else this.#owner.freed(this);
  }

  #leaving(lastStreamId: number): void {
    this.#lastStreamId = lastStreamId;
    if (this.#state === 'open') this.#state = 'retired';
  }

  #pinged(): void {
    this.#ping?.cancel();
    this.#ping = null;
    this.heard();
    this.#owner.freed(this);
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    const openError = this.#state === 'opening' ? (this.#error ?? connectionEnded()) : null;
    this.#state = 'closed';
    this.#opening.cancel();
    this.#ping?.cancel();
    this.#idle.cancel();
    this.#resetDeadline.cancel();
    this.#owner.closed(this, openError);
  }
}
