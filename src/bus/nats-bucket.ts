import type { KV } from '@nats-io/kv';
import { type Clock, sleep } from '#core/clock.ts';
import type { Random } from '#core/random.ts';
import type { Log } from '#telemetry/log.ts';
import {
  type Bucket,
  type BucketOptions,
  type BusCounts,
  type Entry,
  MESSAGE_BYTES_MAX,
  type Watch,
  type WatchEvent,
} from './contract.ts';
import type { Deliveries } from './deliveries.ts';
import { conflict, tooLarge } from './errors.ts';
import { requireKey } from './names.ts';
import { bucketError, isUntaken } from './nats-errors.ts';
import { follow } from './nats-follow.ts';
import type { NatsLink } from './nats-link.ts';
import type { NatsSession } from './nats-session.ts';
import { NatsStore } from './nats-store.ts';
import { readableValue } from './nats-value.ts';
import { NatsWatch } from './nats-watch.ts';
import type { Room } from './room.ts';
import { unlessAborted } from './waiting.ts';

/** While two instances make the same bucket, servers (2.9) call it a conflict, or done before it takes writes. */
const SETTLE_MS = 100;

export type NatsBucketTools = {
  readonly prefix: string;
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counts: BusCounts;
  readonly deliveries: Deliveries;
  readonly operations: Room;
  readonly watchRoom: Room;
  /** All of the bus. */
  readonly watches: Set<NatsWatch>;
  /** A watch misses nothing any more, or is over. */
  readonly watchCurrent: () => void;
  /** A watch may miss something. */
  readonly watchBehind: () => void;
};

export class NatsBucket implements Bucket {
  readonly #name: string;
  readonly #store: NatsStore;
  readonly #tools: NatsBucketTools;

  constructor(name: string, options: BucketOptions, tools: NatsBucketTools) {
    this.#name = name;
    this.#store = new NatsStore(tools.prefix, name, options);
    this.#tools = tools;
  }

  async get(key: string, signal: AbortSignal): Promise<Entry | null> {
    const entry = await this.#operate(key, signal, (kv) => kv.get(key));
    if (entry === null || entry.operation !== 'PUT') return null;
    const rejected = () => this.#tools.counts.rejected++;
    return { key, value: readableValue(entry.value, rejected), revision: entry.revision };
  }

  entries(signal: AbortSignal): Promise<readonly Entry[]> {
    return this.#operate(null, signal, async (_, session) => {
      const done = new AbortController();
      const content = Promise.withResolvers<readonly Entry[]>();
      const tell = (event: WatchEvent) => {
        if (event.type === 'content') content.resolve(event.entries);
      };
      const following = this.#follow(session, tell, () => {}, AbortSignal.any([signal, done.signal]));
      try {
        return await Promise.race([content.promise, following]);
      } finally {
        done.abort();
      }
    });
  }

  async create(key: string, value: Uint8Array, signal: AbortSignal): Promise<number> {
    requireSize(key, value);
    return this.#operate(key, signal, (kv) => kv.create(key, value));
  }

  async update(key: string, value: Uint8Array, revision: number, signal: AbortSignal): Promise<number> {
    requireSize(key, value);
    return this.#operate(key, signal, (kv) => {
      this.#requireRevision(key, revision);
      return kv.update(key, value, revision);
    });
  }

  async put(key: string, value: Uint8Array, signal: AbortSignal): Promise<number> {
    requireSize(key, value);
    return this.#operate(key, signal, (kv) => kv.put(key, value));
  }

  delete(key: string, revision: number | null, signal: AbortSignal): Promise<void> {
    return this.#operate(key, signal, (kv) => {
      if (revision === null) return kv.delete(key);
      this.#requireRevision(key, revision);
      return kv.delete(key, { previousSeq: revision });
    });
  }

  watch(listener: (event: WatchEvent) => void): Watch {
    const { watchRoom, watches, deliveries, watchCurrent, watchBehind, ...tools } = this.#tools;
    tools.link.requireOpen();
    const place = watchRoom.claim();
    const watch = new NatsWatch({
      ...tools,
      bucket: this.#name,
      follow: (session, tell, confirm, signal) => this.#follow(session, tell, confirm, signal),
      listener: deliveries.guard(`what watches ${this.#name}`, listener),
      current: watchCurrent,
      behind: watchBehind,
      ended: () => {
        place[Symbol.dispose]();
        watches.delete(watch);
        watchCurrent();
      },
    });
    watches.add(watch);
    return watch;
  }

  async #operate<T>(
    key: string | null,
    signal: AbortSignal,
    run: (kv: KV, session: NatsSession) => Promise<T>,
  ): Promise<T> {
    if (key !== null) requireKey(key);
    signal.throwIfAborted();
    const session = this.#tools.link.requireSession();
    const place = this.#tools.operations.claim();
    let kv: KV | null = null;
    const attempt = async () => {
      kv = null;
      kv = await this.#store.open(session);
      return run(kv, session);
    };
    const work = attempt()
      .catch(async (error) => {
        const isNotDone = kv === null || isUntaken(error);
        if (!isNotDone) throw error;
        this.#store.forget();
        await sleep(this.#tools.clock, SETTLE_MS, signal);
        return attempt();
      })
      .finally(() => place[Symbol.dispose]());
    try {
      return await unlessAborted(work, signal);
    } catch (error) {
      signal.throwIfAborted();
      const reason = bucketError(error, this.#name, key, session.lost);
      if (reason.code === 'bus_failed') this.#store.forget();
      throw reason;
    }
  }

  async #follow(
    session: NatsSession,
    tell: (event: WatchEvent) => void,
    confirm: () => void,
    signal: AbortSignal,
  ): Promise<never> {
    const { prefix, counts } = this.#tools;
    const { stream, subjectPrefix } = this.#store;
    const deliverPrefix = `${prefix}.watch.`;
    const rejected = () => counts.rejected++;
    try {
      await this.#store.open(session);
      return await follow({ session, stream, subjectPrefix, deliverPrefix, tell, confirm, rejected }, signal);
    } catch (error) {
      if (!signal.aborted) this.#store.forget();
      throw error;
    }
  }

  /** To the server, 0 would mean that the key must not be there, or anything. */
  #requireRevision(key: string, revision: number): void {
    if (revision < 1) throw conflict(this.#name, key);
  }
}

function requireSize(key: string, value: Uint8Array): void {
  if (value.length > MESSAGE_BYTES_MAX) throw tooLarge(`the value of ${key}`);
}
