import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { SignalboxError } from '#core/errors.ts';
import { type FlatHeaders, headerList } from '#core/headers.ts';
import type { Upstream } from '#core/table.ts';
import type { Answer, AnswerSink } from './answer.ts';
import { countStreamed } from './stream-garbage.ts';

/** What an attempt tells, each at most once. */
export type AttemptObserver = {
  /** The request is about to be written: from here on the upstream may have seen some of it. */
  started(): void;
  answered(answer: Answer): void;
  /** The attempt ended before an answer's head had arrived. */
  failed(error: Error, written: boolean): void;
  /** The attempt is over, however it went, and its connection is free or closed. */
  settled(): void;
};

/** Reason phrases mean nothing (RFC 9112 §4); one that is more than plain text is left out. */
const PLAIN = /^[\t -~]*$/;

/**
 * One try of one request at one upstream: undici's handler on one side, an `Answer` on the other. An
 * attempt that was answered belongs to whoever took the answer.
 */
export class Attempt implements Dispatcher.DispatchHandler, Answer {
  readonly upstream: Upstream;
  status = 0;
  reason = '';
  headers: FlatHeaders = [];
  tunnel: Duplex | null = null;

  readonly #observer: AttemptObserver;
  #controller: Dispatcher.DispatchController | null = null;
  #sink: AnswerSink | null = null;
  /** How the body ended before there was a sink. Without one it is paused: nothing of it gets lost. */
  #earlyEnd: 'whole' | Error | null = null;
  #state: 'waiting' | 'started' | 'answered' | 'settled' = 'waiting';
  #isReleased = false;

  constructor(upstream: Upstream, observer: AttemptObserver) {
    this.upstream = upstream;
    this.#observer = observer;
  }

  // -- Answer ------------------------------------------------------------------------------------------

  deliver(sink: AnswerSink): void {
    this.#sink = sink;
    if (this.#earlyEnd === null) this.#controller?.resume();
    else this.#end(this.#earlyEnd);
  }

  resume(): void {
    this.#controller?.resume();
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.tunnel?.destroy();
    this.#controller?.abort(new Error('The attempt was given up.'));
    // Nothing will come for an attempt that is still queued; it is turned away when it would start.
    this.#settle();
  }

  // -- undici's handler ----------------------------------------------------------------------------------

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Thrown, and not aborted: undici then keeps the connection, on which nothing was sent.
    if (this.#isReleased) throw new Error('The attempt was given up before it started.');
    this.#controller = controller;
    this.#state = 'started';
    this.#observer.started();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    reason: string | undefined,
  ): void {
    if (status < 200) return;
    this.headers = flatHeaders(controller);
    const coding = headerList(this.headers, 'transfer-encoding');
    if (coding !== null && coding.trim().toLowerCase() !== 'chunked') {
      controller.abort(
        new SignalboxError('upstream_transfer_coding', 'upstream', 'Only chunked was asked for.'),
      );
      return;
    }
    this.#answer(status, reason ?? '');
    if (this.#sink === null && !this.#isReleased) controller.pause();
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    socket: Duplex,
  ): void {
    this.tunnel = socket;
    this.headers = flatHeaders(controller);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#settle());
    this.#answer(status, 'Switching Protocols');
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    countStreamed(chunk.length);
    if (this.#sink?.data(chunk) === false) controller.pause();
  }

  onResponseEnd(): void {
    this.#settle();
    this.#end('whole');
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#isReleased) return;
    const state = this.#state;
    this.#settle();
    if (state === 'waiting' || state === 'started') this.#observer.failed(error, state === 'started');
    else this.#end(error);
  }

  #answer(status: number, reason: string): void {
    this.#state = 'answered';
    this.status = status;
    this.reason = PLAIN.test(reason) ? reason : '';
    this.#observer.answered(this);
  }

  #end(how: 'whole' | Error): void {
    if (this.#sink === null) this.#earlyEnd = how;
    else if (how === 'whole') this.#sink.end();
    else this.#sink.fail(how);
  }

  #settle(): void {
    if (this.#state === 'settled') return;
    this.#state = 'settled';
    this.#observer.settled();
  }
}

/** Raw headers as text; bytes beyond ASCII stay what they are (RFC 9110 §5.5: obs-text). */
function flatHeaders(controller: Dispatcher.DispatchController): FlatHeaders {
  const raw = controller.rawHeaders;
  if (!Array.isArray(raw)) return [];
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}
