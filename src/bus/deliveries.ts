import type { Log } from '#telemetry/log.ts';
import { type BusCounts, MESSAGE_BYTES_MAX, type Message, OPERATIONS_MAX } from './contract.ts';

/** Sends an answer to whoever asked. */
export type Reply = (data: Uint8Array) => void;

/** What a subscription does with a message; `reply` is null unless the message is a request. Never throws. */
export type Deliver = (message: Message, reply: Reply | null) => void;

/** Calls into the program from the bus: whatever happens there, the bus goes on. */
export class Deliveries {
  readonly #counts: BusCounts;
  readonly #log: Log;
  #answersUnderWay = 0;

  constructor(counts: BusCounts, log: Log) {
    this.#counts = counts;
    this.#log = log;
  }

  to(subject: string, listener: (message: Message) => void): Deliver {
    const call = this.guard(`the listener to ${subject}`, listener);
    return (message) => {
      if (this.#isReceived(message)) call(message);
    };
  }

  toAnswer(subject: string, answer: (message: Message) => Uint8Array | Promise<Uint8Array>): Deliver {
    const call = this.guard(`what answers ${subject}`, async (message: Message, reply: Reply) => {
      if (this.#answersUnderWay >= OPERATIONS_MAX) throw new Error('too many answers are under way');
      this.#answersUnderWay++;
      try {
        reply(await answer(message));
      } finally {
        this.#answersUnderWay--;
      }
    });
    return (message, reply) => {
      if (this.#isReceived(message) && reply !== null) call(message, reply);
    };
  }

  /** A function whose failures are counted, the first of them logged. One that is async is not awaited. */
  guard<Args extends unknown[]>(what: string, run: (...args: Args) => unknown): (...args: Args) => void {
    let isLogged = false;
    const fail = (error: unknown) => {
      this.#counts.failures++;
      if (isLogged) return;
      isLogged = true;
      this.#log.error({ err: error }, 'bus: %s failed; from now on, it is only counted when it does', what);
    };
    return (...args) => {
      try {
        const result = run(...args);
        if (result instanceof Promise) result.catch(fail);
      } catch (error) {
        fail(error);
      }
    };
  }

  #isReceived({ data }: Message): boolean {
    const isAccepted = data.length <= MESSAGE_BYTES_MAX;
    this.#counts[isAccepted ? 'received' : 'rejected']++;
    return isAccepted;
  }
}
