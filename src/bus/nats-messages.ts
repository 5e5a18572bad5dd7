import {
  headers,
  InvalidArgumentError,
  type Msg,
  type Subscription as NatsSubscription,
  type PublishOptions,
} from 'nats';
import {
  type BusCounts,
  MESSAGE_BYTES_MAX,
  MESSAGE_OVERHEAD_BYTES,
  OPERATIONS_MAX,
  type Published,
  SUBSCRIPTIONS_MAX,
  type Subscription,
} from './contract.ts';
import type { Deliver } from './deliveries.ts';
import { notSent, tooLarge } from './errors.ts';
import { requestError } from './nats-errors.ts';
import type { NatsLink } from './nats-link.ts';
import type { NatsSession } from './nats-session.ts';
import { Room } from './room.ts';
import { unlessAborted } from './waiting.ts';

const TRACEPARENT = 'traceparent';

type Listener = {
  readonly pattern: string;
  readonly deliver: Deliver;
  /** Over the present connection, or the last one. */
  subscription: NatsSubscription | null;
};

/** Messages over whatever connection there is; listeners move from one to the next. */
export class NatsMessages {
  readonly #subjectPrefix: string;
  readonly #link: NatsLink;
  readonly #counts: BusCounts;
  readonly #listeners = new Set<Listener>();
  readonly #subscriptions = new Room('subscriptions', SUBSCRIPTIONS_MAX);
  readonly #requests = new Room('requests', OPERATIONS_MAX);

  constructor(prefix: string, link: NatsLink, counts: BusCounts) {
    this.#subjectPrefix = `${prefix}.message.`;
    this.#link = link;
    this.#counts = counts;
  }

  publish(subject: string, data: Uint8Array, traceparent: string | null): Published {
    return this.#send(this.#link.session, data, ({ connection }) =>
      connection.publish(this.#subjectPrefix + subject, data, optionsFor(traceparent)),
    );
  }

  async request(
    subject: string,
    data: Uint8Array,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    signal.throwIfAborted();
    const session = this.#link.requireSession();
    using _ = this.#requests.claim();
    const answer = Promise.withResolvers<Msg>();
    const outcome = this.#send(session, data, ({ connection }) => {
      connection
        .request(this.#subjectPrefix + subject, data, { timeout: deadlineMs })
        .then(answer.resolve, answer.reject);
    });
    if (outcome !== 'sent') throw notSent(subject, outcome);
    try {
      const { data: answered } = await unlessAborted(answer.promise, signal);
      if (answered.length > MESSAGE_BYTES_MAX) throw tooLarge(`the answer to ${subject}`);
      return answered;
    } catch (error) {
      signal.throwIfAborted();
      throw requestError(error, subject, session.lost);
    }
  }

  listen(pattern: string, deliver: Deliver): Subscription {
    const place = this.#subscriptions.claim();
    const listener: Listener = { pattern, deliver, subscription: null };
    this.#listeners.add(listener);
    if (this.#link.session !== null) this.#subscribe(listener, this.#link.session);
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
        listener.subscription?.unsubscribe();
        place[Symbol.dispose]();
      },
    };
  }

  /** Listens over a new connection. */
  attach(session: NatsSession): void {
    for (const listener of this.#listeners) this.#subscribe(listener, session);
  }

  #subscribe(listener: Listener, session: NatsSession): void {
    const callback = (error: Error | null, message: Msg) => {
      // A denied subscription: the session says so.
      if (error !== null) return;
      const subject = message.subject.slice(this.#subjectPrefix.length);
      const reply = (answer: Uint8Array) => this.#send(session, answer, () => message.respond(answer));
      const traceparent = message.headers?.get(TRACEPARENT) || null;
      listener.deliver({ subject, data: message.data, traceparent }, message.reply ? reply : null);
    };
    const subject = this.#subjectPrefix + listener.pattern;
    try {
      listener.subscription = session.connection.subscribe(subject, { callback });
    } catch {
      // The connection is closing at this very moment; the next one will have it.
    }
  }

  #send(session: NatsSession | null, data: Uint8Array, send: (session: NatsSession) => void): Published {
    const outcome = trySend(session, data, send);
    if (outcome === 'sent') this.#counts.sent++;
    else this.#counts.dropped[outcome]++;
    return outcome;
  }
}

function optionsFor(traceparent: string | null): PublishOptions {
  if (traceparent === null) return {};
  const fields = headers();
  fields.set(TRACEPARENT, traceparent);
  return { headers: fields };
}

function trySend(
  session: NatsSession | null,
  data: Uint8Array,
  send: (session: NatsSession) => void,
): Published {
  if (session === null || session.lost.aborted) return 'isolated';
  if (data.length > MESSAGE_BYTES_MAX) return 'too_large';
  if (!session.window.take(data.length + MESSAGE_OVERHEAD_BYTES)) return 'backlog';
  try {
    send(session);
    return 'sent';
  } catch (error) {
    // The server may take less than we do; otherwise the connection is closing at this very moment.
    return error instanceof InvalidArgumentError ? 'too_large' : 'isolated';
  }
}
