/**
 * The bus of a cluster: messages are NATS core messages, buckets are JetStream key-value buckets.
 * docs/decisions/010-bus.md says what an operator grants it and why it reconnects by itself.
 */
import type { Clock } from '#core/clock.ts';
import type { Random } from '#core/random.ts';
import type { BusSettings } from '#core/settings.ts';
import type { Log } from '#telemetry/log.ts';
import {
  BUCKETS_MAX,
  type Bucket,
  type BucketOptions,
  type Bus,
  type BusCounts,
  type BusState,
  type Message,
  newBusCounts,
  OPERATIONS_MAX,
  type Published,
  type Subscription,
  WATCHES_MAX,
} from './contract.ts';
import { Deliveries } from './deliveries.ts';
import { requireBucketName, requirePattern, requirePrefix, requireSubject } from './names.ts';
import { NatsBucket } from './nats-bucket.ts';
import { NatsLink } from './nats-link.ts';
import { NatsMessages } from './nats-messages.ts';
import type { NatsSession } from './nats-session.ts';
import type { NatsWatch } from './nats-watch.ts';
import { Room } from './room.ts';
import { StateTeller } from './state.ts';

export type NatsBusOptions = {
  readonly settings: BusSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

export class NatsBus implements Bus {
  readonly #options: NatsBusOptions;
  readonly #counts = newBusCounts();
  readonly #teller = new StateTeller('connecting');
  readonly #deliveries: Deliveries;
  readonly #link: NatsLink;
  readonly #messages: NatsMessages;
  readonly #buckets = new Map<string, NatsBucket>();
  readonly #bucketRoom = new Room('buckets', BUCKETS_MAX);
  readonly #operations = new Room('bucket operations', OPERATIONS_MAX);
  readonly #watchRoom = new Room('watches', WATCHES_MAX);
  readonly #watches = new Set<NatsWatch>();

  /** Returns at once and connects in the background; throws only for a prefix that cannot be. */
  constructor(options: NatsBusOptions) {
    const { settings, log } = options;
    requirePrefix(settings.prefix);
    this.#options = options;
    this.#deliveries = new Deliveries(this.#counts, log);
    this.#link = new NatsLink({
      ...options,
      opened: (session) => this.#opened(session),
      failed: () => this.#teller.change('isolated'),
    });
    this.#messages = new NatsMessages(settings.prefix, this.#link, this.#counts);
  }

  get state(): BusState {
    return this.#teller.state;
  }

  get counts(): Readonly<BusCounts> {
    return this.#counts;
  }

  onState(listener: (state: BusState) => void): Disposable {
    return this.#teller.add(this.#deliveries.guard('what follows the state of the bus', listener));
  }

  publish(subject: string, data: Uint8Array, traceparent: string | null = null): Published {
    requireSubject(subject);
    return this.#messages.publish(subject, data, traceparent);
  }

  subscribe(pattern: string, listener: (message: Message) => void): Subscription {
    requirePattern(pattern);
    return this.#messages.listen(pattern, this.#deliveries.to(pattern, listener));
  }

  respond(pattern: string, answer: (message: Message) => Uint8Array | Promise<Uint8Array>): Subscription {
    requirePattern(pattern);
    return this.#messages.listen(pattern, this.#deliveries.toAnswer(pattern, answer));
  }

  async request(
    subject: string,
    data: Uint8Array,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    requireSubject(subject);
    return this.#messages.request(subject, data, deadlineMs, signal);
  }

  bucket(name: string, options: BucketOptions): Bucket {
    requireBucketName(name);
    const known = this.#buckets.get(name);
    if (known !== undefined) return known;
    this.#bucketRoom.claim();
    const { settings, clock, random, log } = this.#options;
    const bucket = new NatsBucket(name, options, {
      prefix: settings.prefix,
      link: this.#link,
      clock,
      random,
      log,
      counts: this.#counts,
      deliveries: this.#deliveries,
      operations: this.#operations,
      watchRoom: this.#watchRoom,
      watches: this.#watches,
      watchCurrent: () => this.#refresh(),
      watchBehind: () => this.#teller.change('isolated'),
    });
    this.#buckets.set(name, bucket);
    return bucket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watch of this.#watches) watch[Symbol.dispose]();
    await this.#link.close();
    this.#teller.change('isolated');
  }

  #opened(session: NatsSession): void {
    this.#counts.connections++;
    this.#messages.attach(session);
    this.#refresh();
  }

  /** Synced once every watch has read what it may have missed; a watch that begins later misses nothing yet. */
  #refresh(): void {
    const { session } = this.#link;
    if (session === null) return;
    if ([...this.#watches].every((watch) => watch.isCurrentIn(session))) this.#teller.change('synced');
  }
}
