import type { Duplex } from 'node:stream';
import type { Answer, AnswerSink } from '#actors/request/answer.ts';
import type { Clock, Sleeper } from '#core/clock.ts';
import { Deadline } from '#core/deadline.ts';
import { SignalboxError } from '#core/errors.ts';
import { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import { REASON_PHRASES } from '#core/reason-phrases.ts';
import type { Timeouts, Upstream } from '#core/table.ts';
import { isUnprocessed } from './attempt-failure.ts';
import { malformedAnswer } from './h1-dispatcher/errors.ts';
import { countStreamed } from './stream-garbage.ts';
import { INFORMATIONAL_MAX, type TransportController, type TransportHandler } from './transport.ts';

/** What an attempt tells, each at most once, but for what informs. */
export type AttemptObserver = {
  /** The request is about to be written: from here on the upstream may have seen some of it. */
  started(): void;
  /** An informational answer came, for the client to know (RFC 9110 §15.2); it is none yet. */
  informed(status: number, headers: Fields): void;
  answered(answer: Answer): void;
  /** The attempt ended before an answer's head had arrived. */
  failed(error: Error, written: boolean): void;
  /** The attempt is over, however it went, and its connection is free or closed. */
  settled(): void;
};

export type AttemptTimeouts = Pick<Timeouts, 'firstByteMs' | 'idleMs'>;

const NO_FIELDS = new Fields();

/** Reason phrases mean nothing (RFC 9112 §4); one that is more than plain text is left out. */
const PLAIN = /^[\t -~]*$/;

/**
 * One try of one request at one upstream: a transport's handler on one side, an `Answer` on the other. An
 * attempt that was answered belongs to whoever took the answer.
 *
 * It bounds how long the upstream may take: `firstByteMs` for its answer's head, from when the request was sent
 * or the upstream stopped taking it, then `idleMs` for each piece of the body. Neither runs while it is the
 * client's turn, to send or to read.
 */
export class Attempt implements TransportHandler, Answer, Sleeper {
  readonly upstream: Upstream;
  status = 0;
  reason = '';
  headers = NO_FIELDS;
  tunnel: Duplex | null = null;

  readonly #timeouts: AttemptTimeouts;
  readonly #observer: AttemptObserver;
  readonly #deadline: Deadline;
  #controller: TransportController | null = null;
  #sink: AnswerSink | null = null;
  /**
   * How the body ended before there was a sink: with trailers, or broken off. Until there is one the answer is paused,
   * so that nothing of it gets lost.
   */
  #earlyEnd: FlatHeaders | Error | null = null;
  #state: 'waiting' | 'started' | 'answered' | 'settled' = 'waiting';
  #isReleased = false;
  #informational = 0;
  #isClientAwaited = false;

  constructor(upstream: Upstream, timeouts: AttemptTimeouts, clock: Clock, observer: AttemptObserver) {
    this.upstream = upstream;
    this.#timeouts = timeouts;
    this.#observer = observer;
    this.#deadline = new Deadline(clock, this);
  }

  /** Tells whether the client has to send more of the body before the upstream can do anything. */
  awaitClient(isAwaited: boolean): void {
    this.#isClientAwaited = isAwaited;
    this.#awaitHead();
  }

  /** The transport has none for it yet. An attempt with a long body has no other bound for that. */
  awaitConnection(maxMs: number): void {
    if (this.#state === 'waiting') this.#deadline.set(maxMs);
  }

  /** Nobody waits for it any more. */
  get isGivenUp(): boolean {
    return this.#isReleased;
  }

  // -- Answer ------------------------------------------------------------------------------------------

  deliver(sink: AnswerSink): void {
    this.#sink = sink;
    if (this.#earlyEnd === null) this.resume();
    else this.#end(this.#earlyEnd);
  }

  resume(): void {
    this.#controller?.resume();
    this.#awaitData();
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.tunnel?.destroy();
    // To make an error costs a microsecond, and most attempts are let go when they are over.
    if (this.#state !== 'settled') this.#controller?.abort(new Error('The attempt was given up.'));
    // Nothing will come for an attempt that is still queued; it is turned away when it would start.
    this.#settle();
  }

  // -- the transport's handler ----------------------------------------------------------------------------

  onRequestStart(controller: TransportController): void {
    // Thrown, and not aborted: the transport then keeps the connection, on which nothing was sent.
    if (this.#isReleased) throw new Error('The attempt was given up before it started.');
    this.#controller = controller;
    this.#state = 'started';
    this.#awaitHead();
    this.#observer.started();
  }

  onBodySent(): void {
    if (this.#state === 'started') this.#awaitHead();
    // An answer that has begun may wait for the rest of the request.
    else if (this.#controller?.paused === false) this.#awaitData();
  }

  onRequestSent(): void {
    this.#awaitHead();
  }

  onResponseStart(controller: TransportController, status: number, reason: string): void {
    if (status < 200) {
      this.#inform(controller, status);
      return;
    }
    this.headers = controller.fields;
    this.#answer(status, reason);
    if (this.#sink === null && !this.#isReleased) this.#pause(controller);
  }

  onRequestUpgrade(controller: TransportController, socket: Duplex): void {
    this.tunnel = socket;
    this.headers = controller.fields;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#settle());
    this.#answer(101, 'Switching Protocols');
  }

  onResponseData(controller: TransportController, bytes: Buffer, from: number, to: number): void {
    countStreamed(to - from);
    if (this.#sink?.data(bytes, from, to) === false) this.#pause(controller);
    else this.#awaitData();
  }

  onResponseEnd(controller: TransportController): void {
    this.#settle();
    this.#end(controller.rawTrailers);
  }

  onResponseError(_controller: TransportController | null, error: Error): void {
    if (!this.#isReleased) this.#fail(error);
  }

  // -- deadlines -----------------------------------------------------------------------------------------

  #awaitHead(): void {
    if (this.#state !== 'started') return;
    if (this.#isClientAwaited) this.#deadline.clear();
    else this.#deadline.set(this.#timeouts.firstByteMs);
  }

  #awaitData(): void {
    if (this.#state === 'answered' && this.tunnel === null) this.#deadline.set(this.#timeouts.idleMs);
  }

  #pause(controller: TransportController): void {
    controller.pause();
    this.#deadline.clear();
  }

  /** For its deadline, which has passed. */
  wake(): void {
    const error = new SignalboxError('upstream_timeout', 'upstream', 'The upstream took too long.');
    this.#isReleased = true;
    this.#controller?.abort(error);
    this.#fail(error);
  }

  // -- what is told --------------------------------------------------------------------------------------

  #fail(error: Error): void {
    const state = this.#state;
    this.#settle();
    if (state === 'waiting' || state === 'started') {
      this.#observer.failed(error, state === 'started' && !isUnprocessed(error));
    } else this.#end(error);
  }

  /** Not every transport bounds them. */
  #inform(controller: TransportController, status: number): void {
    if (++this.#informational > INFORMATIONAL_MAX)
      controller.abort(malformedAnswer('too_many_informational'));
    else if (status > 101 && !this.#isReleased) this.#observer.informed(status, controller.fields);
  }

  #answer(status: number, reason: string): void {
    this.#state = 'answered';
    this.#deadline.clear();
    this.status = status;
    this.reason = reason === REASON_PHRASES[status] || PLAIN.test(reason) ? reason : '';
    this.#observer.answered(this);
  }

  #end(how: FlatHeaders | Error): void {
    if (this.#sink === null) this.#earlyEnd = how;
    else if (how instanceof Error) this.#sink.fail(how);
    else this.#sink.end(how);
  }

  #settle(): void {
    if (this.#state === 'settled') return;
    this.#state = 'settled';
    this.#deadline.cancel();
    this.#observer.settled();
  }
}
