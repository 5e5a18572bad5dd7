import type { Socket } from 'node:net';
import { type Clock, sleep } from '#core/clock.ts';
import { HttpDate } from '#core/http-date.ts';
import { newTraceId } from '#core/ids.ts';
import type { PlainCause } from '#core/refusals.ts';
import { stampOf } from '#core/response-headers.ts';
import type { ServerSettings } from '#core/settings.ts';
import { type AddressBlocks, addressBlocks } from './address-blocks.ts';
import { peerAddress } from './client-address.ts';
import type { Connections } from './connections.ts';
import type { Front } from './front.ts';
import { Connection } from './h1-server/connection.ts';
import type { ServerContext } from './h1-server/server-context.ts';
import { Lingering } from './linger.ts';
import { Port } from './port.ts';
import { readAnnouncedAddress } from './proxy-protocol/announced-address.ts';
import { rawRefusal } from './refuse.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** For a client that was refused to take the refusal. */
const REFUSED_MS_MAX = 1000;

/** An idle connection is kept longer than it is told by this, for what the client sends in time. */
const KEEP_ALIVE_MARGIN_MS = 1000;

/**
 * Between closing the port and telling clients to close. A client that is told to opens a new connection,
 * which must not end in the queue of a worker that is about to close, where the system resets it: by then
 * the port of every worker is closed, and the client is refused cleanly.
 */
const PORT_CLOSE_MS = 50;

const NEVER = new AbortController().signal;

/** Accepts connections for one worker, and hands each request on them to the front. */
export class Listener {
  readonly #port: Port;
  readonly #front: Front;
  readonly #connections: Connections;
  readonly #metrics: RequestMetrics;
  readonly #clock: Clock;
  readonly #context: ServerContext;
  readonly #lingering: Lingering;
  /** Who has to announce clients by the PROXY protocol; null where nobody does. */
  readonly #announcers: AddressBlocks | null;
  /** Connections that came while the port closes, and wait to be served until it has. */
  #held: Socket[] | null = null;
  /** Whether connections end with their answer. */
  #isDraining = false;

  constructor(
    settings: ServerSettings,
    front: Front,
    connections: Connections,
    metrics: RequestMetrics,
    clock: Clock,
  ) {
    this.#front = front;
    this.#connections = connections;
    this.#metrics = metrics;
    this.#clock = clock;
    this.#lingering = new Lingering(clock);
    this.#announcers = settings.proxyProtocol ? addressBlocks(settings.trustedProxies) : null;
    this.#context = this.#contextOf(settings);
    this.#port = new Port(clock, (socket) => this.#onConnection(socket));
  }

  /** Resolves with the port when connections are accepted; rejects with the system's error. */
  listen(address: string, port: number, reusePort: boolean): Promise<number> {
    return this.#port.listen(address, port, reusePort);
  }

  /** Accepts no more; resolves when the last request has been answered and its connection has ended. */
  async drain(): Promise<void> {
    this.#held = [];
    await this.#port.closeQuietly();
    await sleep(this.#clock, PORT_CLOSE_MS, NEVER);
    this.#isDraining = true;
    for (const socket of this.#held) this.#identify(socket);
    this.#held = null;
    await this.#connections.drain();
  }

  /** Ends every connection at once. */
  cut(): void {
    this.#port.close();
    this.#connections.cut();
  }

  #contextOf(settings: ServerSettings): ServerContext {
    const { headBytesMax, headerCountMax, headMs, keepAliveMs } = settings;
    const keepAliveSeconds = Math.floor(keepAliveMs / 1000);
    return {
      clock: this.#clock,
      date: new HttpDate(this.#clock),
      headLimits: { bytesMax: headBytesMax, fieldsMax: headerCountMax },
      targetBytesMax: settings.targetBytesMax,
      requestsPerConnectionMax: settings.requestsPerConnectionMax,
      headMs,
      keepAliveMs: keepAliveMs + KEEP_ALIVE_MARGIN_MS,
      keepAliveHeaders: ['Connection', 'keep-alive', 'Keep-Alive', `timeout=${keepAliveSeconds}`],
      connections: this.#connections,
      lingering: this.#lingering,
      isDraining: () => this.#isDraining,
      accept: (arrival) => this.#front.accept(arrival),
      refuse: (socket, cause) => this.#refuse(socket, cause),
    };
  }

  #onConnection(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    if (!this.#connections.admit(socket)) this.#refuse(socket, 'connection_limit');
    else if (this.#held === null) this.#identify(socket);
    else this.#held.push(socket);
  }

  /** Finds out whose connection it is before anything else is read of it. */
  #identify(socket: Socket): void {
    if (socket.destroyed) return;
    const peer = peerAddress(socket.remoteAddress);
    if (this.#announcers === null) this.#serve(socket, peer);
    else if (!this.#announcers.has(peer)) this.#refuse(socket, 'access_denied');
    else {
      readAnnouncedAddress(socket, this.#context.headMs, this.#clock, (address) => {
        if (address === 'malformed') this.#refuse(socket, 'proxy_header_malformed');
        else this.#serve(socket, address ?? peer);
      });
    }
  }

  #serve(socket: Socket, address: string): void {
    if (!this.#connections.admitClient(socket, address)) {
      this.#refuse(socket, 'client_connection_limit');
      return;
    }
    this.#connections.begin(socket);
    new Connection(socket, address, this.#context);
    socket.resume();
  }

  /** Answers a connection, reads on for a moment so that no reset overtakes the answer, and closes it. */
  #refuse(socket: Socket, cause: PlainCause): void {
    this.#metrics.refused(cause);
    const stamp = stampOf(this.#front.table, newTraceId(), 0);
    socket.setTimeout(REFUSED_MS_MAX, () => socket.destroy());
    this.#lingering.end(socket, rawRefusal({ cause }, stamp));
  }
}
