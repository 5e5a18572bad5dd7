import type { OnReadOpts, Socket } from 'node:net';
import { atOnce, type Clock } from '#core/clock.ts';
import type { Flight as AnyFlight, Carrier } from '../flight.ts';
import { type Flushable, flushes } from '../flushes.ts';
import { BodyReader } from '../h1/body-reader.ts';
import { type ControlFields, readControlFields } from '../h1/control-fields.ts';
import { isPersistent, responseFraming } from '../h1/framing.ts';
import { FAULTY, type HeadLimits, HeadParser, INCOMPLETE } from '../h1/head-parser.ts';
import { StatusLine } from '../h1/start-lines.ts';
import { ONE_TEXT_BYTES_MAX } from '../h1/write-head.ts';
import { UPSTREAM_READS } from '../read-buffers.ts';
import { INFORMATIONAL_MAX } from '../transport.ts';
import { streamOf } from '../transport-body.ts';
import { connectionEnded, unprocessed } from '../transport-errors.ts';
import { BodyWriter } from './body-writer.ts';
import { malformedAnswer } from './errors.ts';
import type { Outgoing } from './outgoing.ts';
import { holdWriteErrors } from './write-errors.ts';

const NOTHING = Buffer.alloc(0);

type Flight = AnyFlight<Outgoing>;

/** Opens a socket whose reads go to `onread`, and tells once whether it stands. */
export type Opener = (onread: OnReadOpts, done: (error: Error | null) => void) => Socket;

/** Whose connection it is. */
export type ConnectionOwner = {
  opened(connection: Connection): void;
  /** Its answer is complete, and the next request may be sent. The hint is the upstream's. */
  freed(connection: Connection, keepAliveSeconds: number | null): void;
  /** It is gone; the error is why it could not be opened. */
  closed(connection: Connection, openError: Error | null): void;
};

/**
 * One connection to an upstream, which carries one request after the other (RFC 9112 §9.3). Whatever is
 * ambiguous ends it: a connection is never used again unless both sides agree on where its last message ended.
 */
export class Connection implements Carrier, Flushable {
  /** Clock.monotonicMs() until which it may be used again. */
  idleUntilMs = 0;

  readonly #owner: ConnectionOwner;
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #line = new StatusLine();
  readonly #parser: HeadParser;
  readonly #bodyReader = new BodyReader();
  #state: 'opening' | 'open' | 'tunnel' | 'closed' = 'opening';

  #flight: Flight | null = null;
  #writer: BodyWriter | null = null;
  /** The request waits for the end of the turn; nothing of it was written. */
  #isUnsent = false;
  #isWithinBody = false;
  #informational = 0;
  #persists = false;
  #keepAliveSeconds: number | null = null;
  /** Why no more can be written. What can be read still counts. */
  #writeError: Error | null = null;

  #isReading = false;
  /** What came for a flight that is paused. */
  #unread = NOTHING;
  /** The upstream has ended its side, while the flight was paused. */
  #hasEnded = false;

  constructor(open: Opener, owner: ConnectionOwner, headLimits: HeadLimits, clock: Clock) {
    this.#parser = new HeadParser(this.#line, headLimits);
    this.#owner = owner;
    this.#clock = clock;
    const callback = atOnce((bytes: number) => this.#onRead(bytes));
    this.#socket = open({ buffer: UPSTREAM_READS, callback }, (error) => this.#opened(error));
  }

  /** Sends a request. False when it was given up before that: the connection is as free as it was. */
  carry(flight: Flight): boolean {
    if (!flight.start()) return false;
    flight.carrier = this;
    this.#flight = flight;
    this.#isWithinBody = false;
    this.#informational = 0;
    const { outgoing, body } = flight;
    if (body === null || (body instanceof Buffer && mayGoAtOnce(outgoing, body))) {
      this.#writer = null;
      this.#isUnsent = true;
      flushes.add(this);
      flight.handler.onRequestSent?.();
    } else this.#writer = new BodyWriter(this.#socket, outgoing, streamOf(body), this, this.#clock);
    return true;
  }

  /** Writes the request, which waited for the end of the turn; the connection may have ended meanwhile. */
  flush(): void {
    if (!this.#isUnsent || this.#flight === null) return;
    this.#isUnsent = false;
    const { outgoing, body } = this.#flight;
    if (!(body instanceof Buffer)) this.#socket.write(outgoing.head, 'latin1');
    else if (outgoing.head.length + body.length <= ONE_TEXT_BYTES_MAX)
      this.#socket.write(outgoing.head + body.toString('latin1'), 'latin1');
    else {
      this.#socket.cork();
      this.#socket.write(outgoing.head, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
    }
  }

  /** Ends it, and fails what is on it. */
  close(error: Error | null): void {
    if (this.#state === 'closed' || this.#state === 'tunnel') return;
    const openError = this.#state === 'opening' ? (error ?? connectionEnded()) : null;
    const flight = this.#flight;
    this.#state = 'closed';
    this.#flight = null;
    this.#isUnsent = false;
    this.#writer?.stop();
    this.#unread = NOTHING;
    this.#socket.destroy();
    this.#owner.closed(this, openError);
    if (error !== null) flight?.fail(error);
  }

  // -- of its flight -------------------------------------------------------------------------------------

  resumed(): void {
    if (this.#isReading) return;
    const unread = this.#unread;
    this.#unread = NOTHING;
    this.#read(unread, unread.length);
    if (this.#state !== 'open' || this.#flight?.paused) return;
    if (this.#hasEnded) this.#ended();
    else this.#socket.resume();
  }

  dropped(): void {
    this.close(null);
  }

  bodyFailed(error: Error): void {
    this.close(error);
  }

  bodySent(chunk: Buffer): void {
    this.#flight?.handler.onBodySent?.(chunk);
  }

  requestSent(): void {
    this.#flight?.handler.onRequestSent?.();
  }

  // -- of its socket -------------------------------------------------------------------------------------

  #opened(error: Error | null): void {
    if (this.#state !== 'opening') return;
    if (error !== null) {
      this.close(error);
      return;
    }
    this.#state = 'open';
    this.#socket.on('end', this.#ended).on('error', this.#failed).on('close', this.#ended);
    this.#socket.on('drain', this.#drained);
    holdWriteErrors(this.#socket, (error) => this.#holdsWriteError(error));
    this.#owner.opened(this);
  }

  /** So many bytes stand at the start of UPSTREAM_READS. */
  #onRead(bytes: number): boolean {
    const readsOn = this.#received(bytes);
    flushes.readEnded();
    return readsOn;
  }

  /** What is returned says whether to read on. */
  #received(bytes: number): boolean {
    if (this.#state === 'tunnel') return this.#socket.push(Buffer.from(UPSTREAM_READS.subarray(0, bytes)));
    if (this.#flight === null) this.close(malformedAnswer('unasked_answer'));
    else if (this.#isUnsent) this.close(unprocessed());
    else if (this.#flight.paused) {
      // TLS may have more in hand than it was asked for.
      this.#unread = Buffer.concat([this.#unread, UPSTREAM_READS.subarray(0, bytes)]);
      this.#socket.pause();
    } else this.#read(UPSTREAM_READS, bytes);
    return true;
  }

  readonly #ended = () => {
    const flight = this.#flight;
    if (flight?.paused) {
      this.#hasEnded = true;
      return;
    }
    const isWhole = this.#isWithinBody && this.#bodyReader.endsWithConnection && this.#writeError === null;
    if (flight !== null && isWhole && this.#state === 'open') this.#complete(flight, false);
    else this.close(this.#isUnsent ? unprocessed() : (this.#writeError ?? connectionEnded()));
  };

  readonly #failed = (error: Error) => {
    this.close(this.#isUnsent ? unprocessed() : error);
  };

  readonly #drained = () => {
    this.#writer?.drained();
  };

  #holdsWriteError(error: Error): boolean {
    if (this.#state !== 'open' || this.#flight === null) return false;
    this.#writeError = error;
    this.#writer?.stop();
    return true;
  }

  // -- what the upstream says ----------------------------------------------------------------------------

  /** The first `count` of the bytes. */
  #read(bytes: Buffer, count: number): void {
    const flight = this.#flight;
    if (flight === null) return;
    this.#isReading = true;
    let end: number;
    try {
      end = this.#readOn(flight, bytes, count);
    } catch (error) {
      // The handler's; what it was given already goes the same way.
      flight.abort(error instanceof Error ? error : new Error(String(error)));
      if (this.#state === 'tunnel') this.#socket.destroy();
      return;
    } finally {
      this.#isReading = false;
    }
    if (this.#flight !== flight) return;
    if (end !== INCOMPLETE) this.#complete(flight, end < count);
    else if (flight.paused) this.#socket.pause();
  }

  /** Where the answer ends, or INCOMPLETE: it goes on, is paused, or is none. */
  #readOn(flight: Flight, bytes: Buffer, count: number): number {
    let at = 0;
    while (this.#flight === flight) {
      if (flight.paused) {
        this.#unread = at === count ? NOTHING : Buffer.from(bytes.subarray(at, count));
        return INCOMPLETE;
      }
      if (!this.#isWithinBody) {
        at = this.#readHead(flight, bytes, at, count);
        if (at === INCOMPLETE) return INCOMPLETE;
        continue;
      }
      const step = this.#bodyReader.step(bytes, at, count);
      at = this.#bodyReader.at;
      if (step === 'complete') return at;
      if (step === 'incomplete') return INCOMPLETE;
      if (step === 'faulty') this.close(malformedAnswer(this.#bodyReader.fault ?? 'bad_chunk_size'));
      else flight.handler.onResponseData(flight, bytes, this.#bodyReader.from, at);
    }
    return INCOMPLETE;
  }

  /** Where the head ends, or INCOMPLETE. */
  #readHead(flight: Flight, bytes: Buffer, at: number, count: number): number {
    const end = this.#parser.parse(bytes, at, count);
    if (end === INCOMPLETE) return INCOMPLETE;
    if (end === FAULTY) {
      this.close(malformedAnswer(this.#parser.fault ?? 'bad_status'));
      return INCOMPLETE;
    }
    flight.fields = this.#parser.takeFields();
    const fields = readControlFields(flight.fields);
    const { status } = this.#line;
    if (status === 101) {
      this.#switch(flight, fields, bytes.subarray(end, count));
      return INCOMPLETE;
    }
    if (status < 200) this.#inform(flight, status);
    else this.#answer(flight, status, fields);
    return end;
  }

  #inform(flight: Flight, status: number): void {
    if (++this.#informational > INFORMATIONAL_MAX) this.close(malformedAnswer('too_many_informational'));
    else if (status === 100) this.#writer?.invite();
    else flight.answer(status, this.#line.reason);
  }

  #answer(flight: Flight, status: number, fields: ControlFields): void {
    const { minor, reason } = this.#line;
    const framing = responseFraming(fields, minor, flight.method, status);
    if (typeof framing === 'string') {
      this.close(malformedAnswer(framing));
      return;
    }
    // Who declares a body where there is none may send it all the same.
    const mayHaveBody = flight.method !== 'HEAD' && framing.kind === 'none' && declaresBody(fields);
    this.#persists = isPersistent(fields, minor) && framing.kind !== 'until_close' && !mayHaveBody;
    this.#keepAliveSeconds = fields.keepAliveSeconds;
    this.#bodyReader.begin(framing);
    this.#isWithinBody = true;
    flight.answer(status, reason);
  }

  #complete(flight: Flight, hasMore: boolean): void {
    const isSent = this.#writer === null || this.#writer.isComplete;
    const trailers = this.#bodyReader.takeTrailers();
    this.#flight = null;
    this.#writer?.stop();
    flight.finish();
    if (this.#persists && isSent && !hasMore && !this.#hasEnded && this.#writeError === null)
      this.#owner.freed(this, this.#keepAliveSeconds);
    else this.close(null);
    flight.end(trailers);
  }

  /** The connection belongs to the handler from here on, as any socket. */
  #switch(flight: Flight, { upgrade }: ControlFields, rest: Buffer): void {
    if (flight.upgrade === null || upgrade !== flight.upgrade) {
      this.close(malformedAnswer('unasked_upgrade'));
      return;
    }
    this.#state = 'tunnel';
    this.#flight = null;
    this.#socket.off('end', this.#ended).off('error', this.#failed).off('close', this.#ended);
    this.#socket.off('drain', this.#drained);
    this.#owner.closed(this, null);
    flight.finish();
    if (rest.length > 0) this.#socket.push(Buffer.from(rest));
    flight.handler.onRequestUpgrade(flight, this.#socket);
  }
}

function mayGoAtOnce({ expectsContinue, bodyBytes }: Outgoing, body: Buffer): boolean {
  return !expectsContinue && bodyBytes === body.length;
}

function declaresBody({ lengthBytes, isChunked }: ControlFields): boolean {
  return isChunked || (lengthBytes ?? 0) > 0;
}
