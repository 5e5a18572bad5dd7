/**
 * The bus of an instance that is alone: nothing leaves the process. It keeps what the contract promises as
 * NATS does: nobody is called before the publisher has gone on, and the bounds are the same.
 */
import type { Clock } from '#core/clock.ts';
import type { Log } from '#telemetry/log.ts';
import {
  BUCKETS_MAX,
  type Bucket,
  type BucketOptions,
  type Bus,
  type BusCounts,
  type BusState,
  MESSAGE_BYTES_MAX,
  MESSAGE_OVERHEAD_BYTES,
  type Message,
  newBusCounts,
  OPERATIONS_MAX,
  PENDING_BYTES_MAX,
  type Published,
  SUBSCRIPTIONS_MAX,
  type Subscription,
  WATCHES_MAX,
} from './contract.ts';
import { type Deliver, Deliveries, type Reply } from './deliveries.ts';
import { BusError, notSent } from './errors.ts';
import { MemoryBucket } from './memory-bucket.ts';
import { matches, requireBucketName, requirePattern, requireSubject } from './names.ts';
import { Room } from './room.ts';

export type MemoryBusOptions = { readonly clock: Clock; readonly log: Log };

type Listener = { readonly pattern: string; readonly deliver: Deliver };

export class MemoryBus implements Bus {
  /** Nothing can separate an instance from itself. */
  readonly state: BusState = 'synced';
  readonly #counts: BusCounts = { ...newBusCounts(), connections: 1 };
  readonly #clock: Clock;
  readonly #deliveries: Deliveries;
  readonly #listeners = new Set<Listener>();
  readonly #buckets = new Map<string, MemoryBucket>();
  readonly #life = new AbortController();
  readonly #requests = new Room('requests', OPERATIONS_MAX);
  readonly #subscriptions = new Room('subscriptions', SUBSCRIPTIONS_MAX);
  readonly #watches = new Room('watches', WATCHES_MAX);
  readonly #bucketRoom = new Room('buckets', BUCKETS_MAX);
  #pendingBytes = 0;

  constructor({ clock, log }: MemoryBusOptions) {
    this.#clock = clock;
    this.#deliveries = new Deliveries(this.#counts, log);
  }

  get counts(): Readonly<BusCounts> {
    return this.#counts;
  }

  onState(): Disposable {
    return { [Symbol.dispose]() {} };
  }

  publish(subject: string, data: Uint8Array, traceparent: string | null = null): Published {
    requireSubject(subject);
    return this.#send({ subject, data, traceparent }, null);
  }

  subscribe(pattern: string, listener: (message: Message) => void): Subscription {
    requirePattern(pattern);
    return this.#listen(pattern, this.#deliveries.to(pattern, listener));
  }

  respond(pattern: string, answer: (message: Message) => Uint8Array | Promise<Uint8Array>): Subscription {
    requirePattern(pattern);
    return this.#listen(pattern, this.#deliveries.toAnswer(pattern, answer));
  }

  async request(
    subject: string,
    data: Uint8Array,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    requireSubject(subject);
    signal.throwIfAborted();
    this.#life.signal.throwIfAborted();
    if (![...this.#listeners].some(({ pattern }) => matches(pattern, subject))) {
      throw new BusError('bus_no_responder', `nobody listens to ${subject}`);
    }
    using _ = this.#requests.claim();
    return await this.#ask(subject, data, deadlineMs, AbortSignal.any([signal, this.#life.signal]));
  }

  bucket(name: string, options: BucketOptions): Bucket {
    requireBucketName(name);
    const known = this.#buckets.get(name);
    if (known !== undefined) return known;
    this.#bucketRoom.claim();
    const bucket = new MemoryBucket(name, options, {
      clock: this.#clock,
      counts: this.#counts,
      deliveries: this.#deliveries,
      watches: this.#watches,
      closed: this.#life.signal,
    });
    this.#buckets.set(name, bucket);
    return bucket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new BusError('bus_closed', 'the bus was closed'));
    this.#listeners.clear();
    for (const bucket of this.#buckets.values()) bucket.endWatches();
  }

  #send(message: Message, reply: Reply | null): Published {
    const { subject, data } = message;
    const outcome = this.#admit(data);
    if (outcome !== 'sent') {
      this.#counts.dropped[outcome]++;
      return outcome;
    }
    this.#counts.sent++;
    const bytes = data.length + MESSAGE_OVERHEAD_BYTES;
    this.#pendingBytes += bytes;
    queueMicrotask(() => {
      this.#pendingBytes -= bytes;
      for (const { pattern, deliver } of [...this.#listeners]) {
        if (matches(pattern, subject)) deliver(message, reply);
      }
    });
    return outcome;
  }

  #admit(data: Uint8Array): Published {
    if (this.#life.signal.aborted) return 'isolated';
    if (data.length > MESSAGE_BYTES_MAX) return 'too_large';
    const bytes = this.#pendingBytes + data.length + MESSAGE_OVERHEAD_BYTES;
    return bytes > PENDING_BYTES_MAX ? 'backlog' : 'sent';
  }

  #ask(subject: string, data: Uint8Array, deadlineMs: number, signal: AbortSignal): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const leave = () => reject(signal.reason);
    const timer = this.#clock.after(deadlineMs, () =>
      reject(new BusError('bus_timeout', `${subject} was not answered within ${deadlineMs} ms`)),
    );
    signal.addEventListener('abort', leave, { once: true });
    const outcome = this.#send({ subject, data, traceparent: null }, (answer) => {
      if (answer.length <= MESSAGE_BYTES_MAX) return resolve(answer);
      this.#counts.dropped.too_large++;
    });
    if (outcome !== 'sent') reject(notSent(subject, outcome));
    return promise.finally(() => {
      timer.cancel();
      signal.removeEventListener('abort', leave);
    });
  }

  #listen(pattern: string, deliver: Deliver): Subscription {
    const place = this.#subscriptions.claim();
    const listener = { pattern, deliver };
    this.#listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
        place[Symbol.dispose]();
      },
    };
  }
}
