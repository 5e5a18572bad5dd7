import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { Deadline } from '#core/deadline.ts';
import { SignalboxError } from '#core/errors.ts';
import { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import type { ClientTls } from '#core/tls.ts';
import { tooSlow } from '../client-pace.ts';
import type { Use } from '../connections.ts';
import type { IncomingBody } from '../h1-server/incoming-body.ts';
import type { ServerContext } from '../h1-server/server-context.ts';
import { Allowance } from './allowance.ts';
import { CONNECTION_WINDOW_BYTES, PINGS, RESETS, SETTINGS, sessionOptions } from './bounds.ts';
import { Http2Reply } from './reply.ts';
import { readRequestFields } from './request-fields.ts';
import { streamBody } from './stream-body.ts';

/** For a client to read what a connection ends with, and to close it. */
export const CLOSE_MS_MAX = 1000;

/**
 * A client's HTTP/2 connection (RFC 9113). Each of its streams becomes an arrival like those of HTTP/1.1; node:http2
 * does the framing, and this what it leaves to others: deadlines, and what would be a flood.
 */
export class Http2Connection {
  readonly #socket: TLSSocket;
  readonly #peerAddress: string;
  readonly #tls: ClientTls;
  readonly #server: ServerContext;
  readonly #use: Use;
  readonly #session: ServerHttp2Session;
  readonly #deadline: Deadline;
  readonly #resets: Allowance;
  #exchanges = 0;
  #requestsLeft: number;

  constructor(socket: TLSSocket, peerAddress: string, tls: ClientTls, server: ServerContext) {
    const { clock, headLimits, http2StreamsMax } = server;
    this.#socket = socket;
    this.#peerAddress = peerAddress;
    this.#tls = tls;
    this.#server = server;
    this.#use = server.connections.useOf(socket);
    this.#requestsLeft = server.requestsPerConnectionMax;
    this.#resets = new Allowance(RESETS, clock);
    // A client that has ended its side cannot even open its windows any more.
    socket.allowHalfOpen = false;
    this.#session = performServerHandshake(socket, sessionOptions(http2StreamsMax, headLimits));
    this.#deadline = new Deadline(clock, { wake: () => this.#onDeadline() });
    this.#deadline.set(server.headMs);
    this.#listen();
    server.connections.retireBy(socket, () => this.#retire());
  }

  #listen(): void {
    const { clock } = this.#server;
    const pings = new Allowance(PINGS, clock);
    const settings = new Allowance(SETTINGS, clock);
    const session = this.#session;
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    session.on('stream', (stream, _, flags, fields) => this.#onStream(stream, flags, fields));
    session.on('ping', () => this.#count(pings));
    session.on('remoteSettings', () => this.#count(settings));
    // It speaks HTTP/2, and need not ask for anything yet.
    session.once('remoteSettings', () => this.#exchanges > 0 || this.#beginIdle());
    // Its end says all there is to say.
    session.on('error', () => {});
    session.on('close', () => this.#deadline.cancel());
  }

  #onStream(stream: ServerHttp2Stream, flags: number, fields: FlatHeaders): void {
    stream.on('error', () => {});
    if (stream.closed) {
      this.#count(this.#resets);
      return;
    }
    const { headLimits, targetBytesMax } = this.#server;
    const head = readRequestFields(fields, headLimits, targetBytesMax);
    const hasBody = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0;
    const body = hasBody ? streamBody(stream, (bytes) => reply.received(bytes)) : null;
    const asked = {
      method: head.method,
      awaitsContinue: head.expectsContinue && hasBody,
      giveUpBody: () => giveUp(body),
    };
    const reply = new Http2Reply(stream, asked, this.#server);
    this.#begin(stream, reply);
    this.#server.accept({
      method: head.method,
      target: head.target,
      protocol: '2',
      headers: Fields.of(head.headers),
      peerAddress: this.#peerAddress,
      tls: this.#tls,
      upgrade: null,
      fault: head.fault,
      body,
      wholeBody: null,
      bodyBytes: hasBody ? (head.lengthBytes ?? Infinity) : 0,
      reply,
      ended: () => this.#onEnded(stream, reply, body),
    });
  }

  #begin(stream: ServerHttp2Stream, reply: Http2Reply): void {
    this.#exchanges++;
    this.#deadline.clear();
    this.#server.connections.beginExchange(this.#use);
    stream.on('close', () => {
      reply.closed();
      if (!reply.isSent && !reply.isCut) this.#count(this.#resets);
    });
    if (--this.#requestsLeft === 0) this.#retire();
  }

  #onEnded(stream: ServerHttp2Stream, reply: Http2Reply, body: IncomingBody | null): void {
    this.#exchanges--;
    this.#server.connections.endExchange(this.#use);
    if (this.#exchanges === 0) this.#beginIdle();
    if (stream.closed) return;
    if (!reply.isSent) reply.cut();
    else if (body !== null && !stream.readableEnded) stopBody(stream);
  }

  #beginIdle(): void {
    const isOver = this.#session.closed || this.#session.destroyed;
    this.#deadline.set(isOver ? CLOSE_MS_MAX : this.#server.keepAliveMs);
  }

  #onDeadline(): void {
    if (this.#session.closed || this.#session.destroyed) this.#socket.destroy();
    else this.#retire();
  }

  /**
   * Takes no more requests, and tells the client the last one that it took (RFC 9113 §6.8): it may send others again
   * elsewhere. Ends when those under way have.
   */
  #retire(): void {
    this.#session.close();
    if (this.#exchanges === 0) this.#beginIdle();
  }

  #count(allowance: Allowance): void {
    if (allowance.take() || this.#session.destroyed) return;
    const flood = new SignalboxError(
      'client_flood',
      'client',
      'The client did too much of what costs it little.',
    );
    // In a turn of its own, since it ends streams: see Http2Reply.
    setImmediate(() => this.#session.destroy(flood, constants.NGHTTP2_ENHANCE_YOUR_CALM));
    this.#deadline.set(CLOSE_MS_MAX);
  }
}

function giveUp(body: IncomingBody | null): boolean {
  if (body === null || body.destroyed || body.readableEnded) return false;
  body.destroy(tooSlow());
  return true;
}

/** Asks for no more of a body once the answer was sent (RFC 9113 §8.1), which a reset at once would overtake. */
function stopBody(stream: ServerHttp2Stream): void {
  setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
}
