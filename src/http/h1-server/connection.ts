import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { atOnce } from '#core/clock.ts';
import { Deadline } from '#core/deadline.ts';
import type { Fields } from '#core/fields.ts';
import type { PlainCause } from '#core/refusals.ts';
import type { ClientTls } from '#core/tls.ts';
import { Hold } from '#shared/held-bytes.ts';
import { ClientPace, tooSlow } from '../client-pace.ts';
import type { Use } from '../connections.ts';
import { flushes } from '../flushes.ts';
import { type ControlFields, readControlFields } from '../h1/control-fields.ts';
import { type Framing, isPersistent, requestFraming } from '../h1/framing.ts';
import { FAULTY, HeadParser, INCOMPLETE } from '../h1/head-parser.ts';
import { RequestLine } from '../h1/start-lines.ts';
import { END, fieldLines } from '../h1/write-head.ts';
import { CLIENT_READS, kept } from '../read-buffers.ts';
import { BodyIntake } from './body-intake.ts';
import type { IncomingBody } from './incoming-body.ts';
import { readInto } from './read-into.ts';
import { causeOf } from './refusal-causes.ts';
import { Http1Reply, type ReplyHost } from './reply.ts';
import type { ServerContext } from './server-context.ts';
import { upgradeOf } from './upgrade.ts';

/** What a client may send ahead of its answer; beyond, it is not read until it is answered. */
export const AHEAD_BYTES_MAX = 16 * 1024;

/** What a client may still send after it was answered; where it may be more, its connection ends. */
export const DISCARDED_BYTES_MAX = 256 * 1024;

/**
 * A client may end its side when it has sent its request, and still wants the answer (RFC 9112 §9.6). One
 * that has left looks the same until it is sent something: so this is how long it is sent nothing.
 */
export const HALF_CLOSED_MS = 1000;

const NOTHING = Buffer.alloc(0);

/**
 * A client's connection: reads one request after the other, and lets the next one wait until the one before
 * was answered and read whole. What it does is `#step`, over and over, until there is nothing to be done.
 */
export class Connection implements ReplyHost {
  readonly socket: Socket;
  readonly #server: ServerContext;
  readonly #peerAddress: string;
  readonly #tls: ClientTls | null;
  readonly #use: Use;
  readonly #deadline: Deadline;
  /** What the client has not read yet. */
  readonly #unread: Hold;
  readonly #line = new RequestLine();
  readonly #heads: HeadParser;
  readonly #pace: ClientPace;
  readonly #intake = new BodyIntake(() => this.#advance());

  /** `idle`: between requests. `head`: within one's head, or waiting for the first. */
  #phase: 'idle' | 'head' | 'exchange' | 'over' = 'head';
  /** What was read, and where in it what was not used begins and ends. While it is looked at, it may be the read buffer. */
  #bytes: Buffer = NOTHING;
  #at = 0;
  #readTo = 0;
  #isStepping = false;
  #requestsLeft: number;
  /** The client has ended its side. */
  #hasEnded = false;
  /** The connection is a tunnel, which takes what is read. */
  #isHandedOver = false;

  // Of the request under way:
  #reply: Http1Reply | null = null;
  #isPersistent = true;
  #isUpgrade = false;
  /** It has come to its end, but for what is left of its body. */
  #isAnswered = false;

  constructor(socket: Socket, peerAddress: string, tls: ClientTls | null, server: ServerContext) {
    this.socket = socket;
    this.#server = server;
    this.#use = server.connections.useOf(socket);
    this.#unread = new Hold(server.held);
    this.#peerAddress = peerAddress;
    this.#tls = tls;
    this.#requestsLeft = server.requestsPerConnectionMax;
    this.#pace = new ClientPace(server.clock, server.rateWindowMs);
    this.#heads = new HeadParser(this.#line, server.headLimits);
    this.#deadline = new Deadline(server.clock, { wake: () => this.#onDeadline() });
    this.#deadline.set(server.headMs);
    socket.on('data', this.#onData).on('end', this.#onEnd).on('drain', this.#onDrain);
    socket.on('close', this.#onClose);
    readInto(socket, this.#onRead);
  }

  // -- what the reply asks ---------------------------------------------------------------------------

  get mustClose(): boolean {
    const isLast = this.#hasEnded && this.#at === this.#readTo;
    const isTooLong = this.#intake.bytesLeft > DISCARDED_BYTES_MAX;
    return !this.#isPersistent || isLast || isTooLong || this.#server.isDraining();
  }

  get dateLine(): string {
    return this.#server.date.line;
  }

  connectionEnd(closes: boolean): string {
    return closes ? CLOSE : this.#server.keepAliveEnd;
  }

  expectProgress(idleMs: number, bytesPerSecondMin = 0): void {
    // The body may end, or be given up, while the client has an answer to read.
    if (idleMs === 0 && this.#reply?.status !== 0) return;
    this.#pace.expect(idleMs, bytesPerSecondMin);
    this.#deadline.clear();
    this.progressed();
  }

  progressed(): void {
    const mayHaveLeft = this.#hasEnded && this.#intake.body === null && this.socket.writableLength === 0;
    if (mayHaveLeft) this.#deadline.set(HALF_CLOSED_MS);
    else if (this.#pace.idleMs > 0)
      this.#deadline.set(this.#pace.mayTakeMs(this.#reply?.status === 0, this.socket.writableLength));
  }

  waits(bytes: number): void {
    this.#unread.set(bytes);
  }

  expectReading(): void {
    if (this.#pace.idleMs === 0) this.expectProgress(this.#server.keepAliveMs);
  }

  handOver(): Duplex {
    const { socket } = this;
    this.#end();
    this.#unread.set(0);
    this.#isHandedOver = true;
    socket.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain).pause();
    if (this.#at < this.#readTo) socket.unshift(kept(this.#unused()));
    this.#look(NOTHING, 0);
    return socket;
  }

  // -- what the socket tells ---------------------------------------------------------------------------

  readonly #onRead = atOnce((bytes: number): boolean => {
    if (this.#isHandedOver) return this.socket.push(Buffer.from(CLIENT_READS.subarray(0, bytes)));
    this.#received(CLIENT_READS, bytes);
    const unused = this.#at < this.#readTo ? kept(this.#unused()) : NOTHING;
    this.#look(unused, unused.length);
    return true;
  });

  readonly #onData = atOnce((chunk: Buffer): void => this.#received(chunk, chunk.length));

  #received(chunk: Buffer, bytes: number): void {
    if (this.#phase === 'over') return;
    // Who has something to read makes no progress by sending.
    if (this.socket.writableLength === 0) {
      this.#pace.received(bytes);
      this.progressed();
    }
    if (this.#at === this.#readTo) this.#look(chunk, bytes);
    else {
      const all = Buffer.concat([this.#unused(), chunk.subarray(0, bytes)]);
      this.#look(all, all.length);
    }
    this.#advance();
    flushes.readEnded();
  }

  /** At the first so many of them, of which nothing was used. */
  #look(bytes: Buffer, count: number): void {
    this.#bytes = bytes;
    this.#at = 0;
    this.#readTo = count;
  }

  #unused(): Buffer {
    return this.#bytes.subarray(this.#at, this.#readTo);
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#advance();
    this.#checkHalfClosed();
  };

  readonly #onDrain = (): void => {
    this.#unread.set(0);
    this.progressed();
    this.#reply?.drained();
  };

  readonly #onClose = (): void => {
    this.#end();
    this.#unread.set(0);
    this.#intake.body?.destroy();
    this.#reply?.left();
  };

  #onDeadline(): void {
    if (this.#phase === 'head' && this.#heads.isWithin) this.#refuse('request_timeout');
    else if (this.#phase === 'exchange') this.#onSlowness();
    else if (this.#phase !== 'over') this.#close();
  }

  #onSlowness(): void {
    const isSending = this.#reply?.status === 0;
    if (isSending && this.#intake.body !== null && this.#pace.idleMs > 0) {
      this.#isPersistent = false;
      this.#pace.begin();
      this.#intake.fail(tooSlow());
    } else if (!isSending && this.#pace.hasCaughtUp(this.socket.writableLength)) {
      this.#deadline.set(this.#pace.idleMs);
    } else this.socket.destroy();
  }

  // -- reading -------------------------------------------------------------------------------------------

  #advance(): void {
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      while (this.#step());
    } catch (error) {
      // A mistake of ours, half-way: nobody knows what its client would get next.
      this.socket.destroy();
      throw error;
    }
    this.#isStepping = false;
    this.#regulate();
  }

  /** Whether there may be more to be done. */
  #step(): boolean {
    if (this.#phase === 'over') return false;
    if (this.#intake.body !== null) return this.#readBody(this.#intake.body);
    if (this.#phase === 'exchange') return this.#isAnswered && this.#beginIdle();
    return this.#readHead();
  }

  #readHead(): boolean {
    const isThere = this.#at < this.#readTo;
    const end = isThere ? this.#heads.parse(this.#bytes, this.#at, this.#readTo) : INCOMPLETE;
    if (end === FAULTY) {
      this.#refuse(causeOf(this.#heads.fault));
      return false;
    }
    if (end !== INCOMPLETE) {
      this.#at = end;
      this.#begin();
      return true;
    }
    this.#at = this.#readTo;
    if (this.#hasEnded) this.#close();
    else if (this.#phase === 'idle' && this.#heads.isWithin) {
      this.#phase = 'head';
      this.#deadline.set(this.#server.headMs);
    }
    return false;
  }

  #begin(): void {
    const line = this.#line;
    const headers = this.#heads.takeFields();
    const fields = readControlFields(headers);
    const framing = requestFraming(fields, line.minor);
    if (typeof framing === 'string') this.#refuse('malformed_request');
    else if (line.target.length > this.#server.targetBytesMax) this.#refuse('target_too_long');
    else this.#serve(headers, fields, framing);
  }

  #serve(headers: Fields, fields: ControlFields, framing: Framing): void {
    const { method, minor } = this.#line;
    const hasBody = framing.kind !== 'none';
    const whole = this.#takeWholeBody(framing);
    const awaitsContinue = fields.expectsContinue && hasBody && whole === null && minor === 1;
    const reply = new Http1Reply(this, { method, minor, awaitsContinue });
    const upgrade = hasBody ? null : upgradeOf(method, minor, fields.upgrade);
    this.#phase = 'exchange';
    this.#deadline.clear();
    this.#pace.begin();
    this.#reply = reply;
    this.#isAnswered = false;
    this.#isUpgrade = upgrade !== null;
    // What follows on CONNECT may be meant for the tunnel that there is not.
    this.#isPersistent = isPersistent(fields, minor) && method !== 'CONNECT' && --this.#requestsLeft > 0;
    if (hasBody && whole === null) this.#intake.begin(framing);
    this.#server.connections.beginExchange(this.#use);
    this.#server.accept({
      method,
      target: this.#line.takeTarget(),
      protocol: minor === 0 ? '1.0' : '1.1',
      headers,
      peerAddress: this.#peerAddress,
      tls: this.#tls,
      upgrade,
      fault: null,
      body: this.#intake.body,
      wholeBody: whole,
      bodyBytes: whole?.length ?? this.#intake.bytesLeft,
      reply,
      ended: () => this.#onAnswered(reply),
    });
    this.#checkHalfClosed();
  }

  /** The body, if all of it has come already: then nothing has to be waited for. */
  #takeWholeBody(framing: Framing): Buffer | null {
    if (framing.kind !== 'length' || framing.bytes > this.#readTo - this.#at) return null;
    const from = this.#at;
    this.#at += framing.bytes;
    return kept(this.#bytes.subarray(from, this.#at));
  }

  #readBody(body: IncomingBody): boolean {
    const intake = this.#intake;
    if (intake.isFull) return false;
    const step = intake.step(body, this.#bytes, this.#at, this.#readTo);
    this.#at = intake.at;
    if (step === 'faulty') this.#isPersistent = false;
    // It will never be complete: this is how a client leaves.
    if (step === 'incomplete' && this.#hasEnded) this.socket.destroy();
    return step !== 'incomplete';
  }

  /** Reads as much ahead as it may: so that a client that leaves is noticed while it waits. */
  #regulate(): void {
    if (this.#phase === 'over') return;
    const roomBytes = this.#intake.isFull ? 0 : AHEAD_BYTES_MAX;
    const mayRead = this.#readTo - this.#at <= roomBytes;
    if (mayRead === this.socket.isPaused()) {
      if (mayRead) this.socket.resume();
      else this.socket.pause();
    }
  }

  #checkHalfClosed(): void {
    if (!this.#hasEnded || this.#phase !== 'exchange') return;
    if (this.#isUpgrade && this.#reply?.status === 0) this.socket.destroy();
    else this.progressed();
  }

  // -- the end of a request, and of the connection ---------------------------------------------------------

  #onAnswered(reply: Http1Reply): void {
    this.#server.connections.endExchange(this.#use);
    if (this.#phase === 'over') return;
    this.#isAnswered = true;
    if (!reply.isSent) this.socket.destroy();
    else if (reply.isClosing || !this.#isPersistent) this.#close();
    else {
      // What is left of its body is dropped as it comes, and has to come in time.
      this.#pace.begin();
      if (this.#intake.body !== null) this.#deadline.set(this.#server.keepAliveMs);
      this.#advance();
    }
  }

  #beginIdle(): true {
    this.#phase = 'idle';
    this.#reply = null;
    this.#pace.begin();
    this.#deadline.set(this.#server.keepAliveMs);
    return true;
  }

  #refuse(cause: PlainCause): void {
    this.#end();
    this.#server.refuse(this.socket, cause);
  }

  #close(): void {
    this.#end();
    this.#server.lingering.end(this.socket);
  }

  #end(): void {
    this.#phase = 'over';
    this.#deadline.cancel();
  }
}

const CLOSE = fieldLines(['Connection', 'close']) + END;
