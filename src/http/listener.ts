import type { Socket } from 'node:net';
import { type Clock, NEVER, sleep } from '#core/clock.ts';
import { HttpDate } from '#core/http-date.ts';
import { newTraceId } from '#core/ids.ts';
import { interned } from '#core/own-text.ts';
import type { PlainCause } from '#core/refusals.ts';
import { stampOf } from '#core/response-headers.ts';
import type { ServerSettings } from '#core/settings.ts';
import type { TlsMaterial } from '#core/tls.ts';
import type { HeldBytes } from '#shared/held-bytes.ts';
import { type AddressBlocks, addressBlocks } from './address-blocks.ts';
import { peerAddress } from './client-address.ts';
import type { Connections } from './connections.ts';
import type { Front } from './front.ts';
import { END, fieldLines } from './h1/write-head.ts';
import { Connection } from './h1-server/connection.ts';
import type { ServerContext } from './h1-server/server-context.ts';
import { loadH2Server } from './h2-modules.ts';
import { Lingering } from './linger.ts';
import { Port } from './port.ts';
import { readAnnouncedAddress } from './proxy-protocol/announced-address.ts';
import { rawRefusal } from './refuse.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { Handshakes } from './tls/handshakes.ts';

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

export type ListenerOptions = {
  readonly settings: ServerSettings;
  /** Null where there is no TLS in the settings, and only there. */
  readonly tls: TlsMaterial | null;
  readonly front: Front;
  readonly connections: Connections;
  readonly held: HeldBytes;
  readonly metrics: RequestMetrics;
  readonly clock: Clock;
};

/** Null on a port that does not speak TLS. */
type Security = Handshakes | null;

/** Accepts connections for one worker, and hands each request on them to the front. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #handshakes: Security;
  readonly #ports: readonly { readonly port: Port; readonly number: number }[];
  readonly #context: ServerContext;
  readonly #lingering: Lingering;
  /** Who has to announce clients by the PROXY protocol; null where nobody does. */
  readonly #announcers: AddressBlocks | null;
  /** Connections that came while the ports close, and wait to be served until they have. */
  #waiting: { readonly socket: Socket; readonly security: Security }[] | null = null;
  /** Whether connections end with their answer. */
  #isDraining = false;

  constructor(options: ListenerOptions) {
    const { settings, clock } = options;
    this.#options = options;
    this.#lingering = new Lingering(clock);
    this.#announcers = settings.proxyProtocol ? addressBlocks(settings.trustedProxies) : null;
    this.#context = this.#contextOf(settings);
    this.#handshakes = this.#handshakesOf(options);
    const plain = { number: settings.port, security: null };
    const secure = { number: settings.tls?.port ?? settings.port, security: this.#handshakes };
    const hasPlain = settings.tls === null || settings.tls.port !== null;
    const kinds = [...(hasPlain ? [plain] : []), ...(settings.tls === null ? [] : [secure])];
    this.#ports = kinds.map(({ number, security }) => ({
      number,
      port: new Port(clock, (socket) => this.#onConnection(socket, security)),
    }));
  }

  /** Resolves when connections are accepted; rejects with the system's error. */
  async listen(reusePort: boolean): Promise<void> {
    const { address } = this.#options.settings;
    await Promise.all(this.#ports.map(({ port, number }) => port.listen(address, number, reusePort)));
  }

  /** Shakes hands with this from now on. */
  useTls(material: TlsMaterial): void {
    this.#handshakes?.use(material);
  }

  /** Accepts no more; resolves when the last request has been answered and its connection has ended. */
  async drain(): Promise<void> {
    this.#waiting = [];
    await Promise.all(this.#ports.map(({ port }) => port.closeQuietly()));
    await sleep(this.#options.clock, PORT_CLOSE_MS, NEVER);
    this.#isDraining = true;
    for (const { socket, security } of this.#waiting) this.#identify(socket, security);
    this.#waiting = null;
    await this.#options.connections.drain();
  }

  /** Ends every connection at once. */
  cut(): void {
    for (const { port } of this.#ports) port.close();
    this.#options.connections.cut();
  }

  #handshakesOf({ settings, tls, metrics, clock }: ListenerOptions): Security {
    if (settings.tls === null || tls === null) return null;
    // Before the first client would wait for it.
    loadH2Server();
    return new Handshakes(settings.tls, tls, clock, (cause) => metrics.handshakeFailed(cause));
  }

  #contextOf(settings: ServerSettings): ServerContext {
    const { front, connections, clock } = this.#options;
    const { headBytesMax, headerCountMax, headMs, keepAliveMs } = settings;
    const timeout = `timeout=${Math.floor(keepAliveMs / 1000)}`;
    const keepAliveLines = fieldLines(['Connection', 'keep-alive', 'Keep-Alive', timeout]);
    return {
      clock,
      date: new HttpDate(clock),
      headLimits: { bytesMax: headBytesMax, fieldsMax: headerCountMax },
      targetBytesMax: settings.targetBytesMax,
      rateWindowMs: settings.rateWindowMs,
      http2StreamsMax: settings.tls?.http2StreamsMax ?? 0,
      requestsPerConnectionMax: settings.requestsPerConnectionMax,
      headMs,
      keepAliveMs: keepAliveMs + KEEP_ALIVE_MARGIN_MS,
      keepAliveEnd: interned(keepAliveLines + END),
      connections,
      lingering: this.#lingering,
      held: this.#options.held,
      isDraining: () => this.#isDraining,
      accept: (arrival) => front.accept(arrival),
      refuse: (socket, cause) => this.#refuse(socket, cause),
    };
  }

  #onConnection(socket: Socket, security: Security): void {
    socket.on('error', () => socket.destroy());
    if (!this.#options.connections.admit(socket)) this.#turnAway(socket, security, 'connection_limit');
    else if (this.#waiting === null) this.#identify(socket, security);
    else this.#waiting.push({ socket, security });
  }

  /** Finds out whose connection it is before anything else is read of it. */
  #identify(socket: Socket, security: Security): void {
    if (socket.destroyed) return;
    const peer = peerAddress(socket.remoteAddress);
    if (this.#announcers === null) this.#serve(socket, security, peer);
    else if (!this.#announcers.has(peer)) this.#turnAway(socket, security, 'access_denied');
    else {
      readAnnouncedAddress(socket, this.#context.headMs, this.#options.clock, (address) => {
        if (address === 'malformed') this.#turnAway(socket, security, 'proxy_header_malformed');
        else this.#serve(socket, security, address ?? peer);
      });
    }
  }

  #serve(socket: Socket, security: Security, address: string): void {
    const { connections } = this.#options;
    if (!connections.admitClient(socket, address)) {
      this.#turnAway(socket, security, 'client_connection_limit');
    } else if (security === null) {
      connections.begin(socket);
      new Connection(socket, address, null, this.#context);
      socket.resume();
    } else {
      security.begin(socket, (secure, tls) => {
        connections.secured(socket, secure);
        connections.begin(secure);
        if (secure.alpnProtocol === 'h2')
          new (loadH2Server().Http2Connection)(secure, address, tls, this.#context);
        else new Connection(secure, address, tls, this.#context);
      });
    }
  }

  /** Without a handshake there is no way to say why. */
  #turnAway(socket: Socket, security: Security, cause: PlainCause): void {
    if (security === null) this.#refuse(socket, cause);
    else {
      this.#options.metrics.refused(cause);
      socket.destroy();
    }
  }

  /** Answers a connection, reads on for a moment so that no reset overtakes the answer, and closes it. */
  #refuse(socket: Socket, cause: PlainCause): void {
    const { front, metrics } = this.#options;
    metrics.refused(cause);
    const stamp = stampOf(front.table, newTraceId(), 0);
    socket.setTimeout(REFUSED_MS_MAX, () => socket.destroy());
    this.#lingering.end(socket, rawRefusal({ cause }, stamp));
  }
}
