import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, sleep } from '#core/clock.ts';
import { codeOf } from '#core/errors.ts';
import { newTraceId } from '#core/ids.ts';
import type { PlainCause } from '#core/refusals.ts';
import { stampOf } from '#core/response-headers.ts';
import type { ServerSettings } from '#core/settings.ts';
import type { Connections } from './connections.ts';
import type { Front } from './front.ts';
import { Lingering } from './linger.ts';
import { Pipeline } from './pipeline.ts';
import { Port } from './port.ts';
import { rawRefusal } from './refuse.ts';
import { type CloseAfter, HttpReply } from './reply.ts';
import { declaredBytes } from './request-head.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { UpgradeReply } from './upgrade-reply.ts';

/** For a client that was refused to take the refusal. */
const REFUSED_MS_MAX = 1000;
/** How often connections that are slow to send a head are looked for. */
const HEAD_CHECK_MS = 500;

/**
 * Between closing the port and telling clients to close. A client that is told to opens a new connection,
 * which must not end in the queue of a worker that is about to close, where the system resets it: by then
 * the port of every worker is closed, and the client is refused cleanly.
 */
const PORT_CLOSE_MS = 50;

const NEVER = new AbortController().signal;

const UPGRADES = new Set(['websocket']);

/** Accepts connections for one worker, and hands each request on them to the front. */
export class Listener {
  readonly #port: Port;
  readonly #http: Server;
  readonly #front: Front;
  readonly #connections: Connections;
  readonly #metrics: RequestMetrics;
  readonly #clock: Clock;
  readonly #pipelines = new WeakMap<Socket, Pipeline>();
  readonly #lingering: Lingering;
  /** Connections that came while the port closes, and wait to be served until it has. */
  #held: Socket[] | null = null;

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
    this.#http = this.#createHttp(settings);
    // A port of our own admits each connection before node:http gets to see it.
    this.#port = new Port(clock, (socket) => this.#onConnection(socket));
  }

  /** Resolves when connections are accepted; rejects with the system's error. */
  async listen(address: string, port: number, reusePort: boolean): Promise<void> {
    await this.#port.listen(address, port, reusePort);
    // Starts the check of slow heads, which hangs on this event.
    this.#http.emit('listening');
  }

  /** Accepts no more; resolves when the last request has been answered and its connection has ended. */
  async drain(): Promise<void> {
    this.#held = [];
    await this.#port.closeQuietly();
    await sleep(this.#clock, PORT_CLOSE_MS, NEVER);
    this.#front.isDraining = true;
    for (const socket of this.#held) this.#serve(socket);
    this.#held = null;
    await this.#connections.drain();
  }

  /** Ends every connection at once. */
  cut(): void {
    this.#port.close();
    this.#connections.cut();
  }

  #createHttp(settings: ServerSettings): Server {
    const server = createServer({
      maxHeaderSize: settings.headBytesMax,
      headersTimeout: settings.headMs,
      connectionsCheckingInterval: HEAD_CHECK_MS,
      requestTimeout: 0,
      keepAliveTimeout: settings.keepAliveMs,
      requireHostHeader: false,
      // Behind a request that is not answered yet, node:http could not hand over the connection.
      shouldUpgradeCallback: (request) =>
        !this.#connections.isBusy(request.socket) && upgradeOf(request) !== null,
    });
    server.on('request', (incoming, response) => this.#onRequest(incoming, response, false));
    server.on('checkContinue', (incoming, response) => this.#onRequest(incoming, response, true));
    // RFC 9110 §10.1.1 allows to go on without the expectation that we do not know.
    server.on('checkExpectation', (incoming, response) => this.#onRequest(incoming, response, false));
    server.on('upgrade', (incoming, socket, head) => this.#onUpgrade(incoming, socket as Socket, head));
    server.on('connect', (_, socket) => this.#refuse(socket as Socket, 'method_not_supported'));
    server.on('clientError', (error, socket) => this.#onClientError(error, socket as Socket));
    return server;
  }

  #onConnection(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    socket.on('timeout', () => socket.destroy());
    // node:http closes with this after the last answer: in stages, for the client may still be sending.
    socket.destroySoon = () => this.#lingering.end(socket);
    if (!this.#connections.admit(socket)) this.#refuse(socket, 'connection_limit');
    else if (this.#held === null) this.#serve(socket);
    else this.#held.push(socket);
  }

  #serve(socket: Socket): void {
    if (!socket.destroyed) this.#http.emit('connection', socket);
  }

  #onRequest(
    incoming: IncomingMessage,
    response: ServerResponse<IncomingMessage>,
    awaitsContinue: boolean,
  ): void {
    const { socket } = incoming;
    if (!socket.writable) return;
    const pipeline = this.#pipelineOf(socket);
    this.#connections.beginExchange(socket);
    const ended = () => {
      this.#connections.endExchange(socket);
      pipeline.leave();
    };
    const replyWith = (isClosing: CloseAfter) => new HttpReply(response, awaitsContinue, isClosing);
    pipeline.enter(() => this.#front.accept({ incoming, replyWith, upgrade: null, ended }));
  }

  #pipelineOf(socket: Socket): Pipeline {
    const known = this.#pipelines.get(socket);
    if (known !== undefined) return known;
    const pipeline = new Pipeline(socket);
    this.#pipelines.set(socket, pipeline);
    return pipeline;
  }

  #onUpgrade(incoming: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#connections.beginExchange(socket);
    const ended = () => this.#connections.endExchange(socket);
    const replyWith = () => new UpgradeReply(socket, head, this.#lingering);
    this.#front.accept({ incoming, replyWith, upgrade: upgradeOf(incoming), ended });
  }

  #onClientError(error: Error, socket: Socket): void {
    const cause = clientErrorCause(codeOf(error));
    if (cause === null || this.#connections.isBusy(socket)) socket.destroy();
    else this.#refuse(socket, cause);
  }

  /** Answers a connection, reads on for a moment so that no reset overtakes the answer, and closes it. */
  #refuse(socket: Socket, cause: PlainCause): void {
    this.#metrics.refused(cause);
    const stamp = stampOf(this.#front.table, newTraceId(), 0);
    socket.setTimeout(REFUSED_MS_MAX);
    this.#lingering.end(socket, rawRefusal({ cause }, stamp));
  }
}

/**
 * The protocol to switch to, lower case, if the request asks for one that we tunnel. HTTP/1.0 cannot
 * (RFC 9110 §7.8), and a request with a body would have to end before the switch.
 */
function upgradeOf({ method, httpVersion, headers, rawHeaders }: IncomingMessage): string | null {
  const protocol = headers.upgrade?.trim().toLowerCase() ?? '';
  if (method !== 'GET' || !UPGRADES.has(protocol) || httpVersion !== '1.1') return null;
  return declaredBytes(rawHeaders) === 0 ? protocol : null;
}

/** Null where the connection is beyond answering. */
function clientErrorCause(code: string): PlainCause | null {
  if (code === 'HPE_HEADER_OVERFLOW') return 'head_too_large';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  return code.startsWith('HPE_') ? 'malformed_request' : null;
}
