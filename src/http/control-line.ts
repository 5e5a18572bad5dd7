import type { Clock, Timer } from '#core/clock.ts';
import type { PlainCause } from '#core/refusals.ts';
import type { ControlAnswer, ControlQuestion, FromWorker } from '#core/worker-messages.ts';

/** Questions of one worker that wait at once; more are turned away, as the control plane has one thread. */
export const QUESTIONS_MAX = 64;

/** Less than what scrapers wait by default, 10 s. */
export const ANSWER_MS_MAX = 5_000;

type Told = (answer: ControlAnswer | PlainCause) => void;

/**
 * A worker's line to the control plane, for the few requests that only that can answer. No request that is
 * to be forwarded waits for it.
 */
export class ControlLine {
  readonly #send: (message: FromWorker) => void;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, { readonly told: Told; readonly timer: Timer }>();
  #lastId = 0;

  constructor(send: (message: FromWorker) => void, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
  }

  /** `told` is called once: with the answer, or with why there is none. */
  ask(question: ControlQuestion, told: Told): void {
    if (this.#waiting.size >= QUESTIONS_MAX) {
      told('overloaded');
      return;
    }
    const id = ++this.#lastId;
    const timer = this.#clock.after(ANSWER_MS_MAX, () => this.#settle(id, 'overloaded'));
    this.#waiting.set(id, { told, timer });
    this.#send({ type: 'question', id, question });
  }

  /** What the control plane said; null if it failed over the question. One that comes too late is dropped. */
  deliver(id: number, answer: ControlAnswer | null): void {
    this.#settle(id, answer ?? 'internal');
  }

  #settle(id: number, answer: ControlAnswer | PlainCause): void {
    const asked = this.#waiting.get(id);
    if (asked === undefined) return;
    this.#waiting.delete(id);
    asked.timer.cancel();
    asked.told(answer);
  }
}
