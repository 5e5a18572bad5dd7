import type { Bucket, Bus, Watch, WatchEvent } from '#bus/contract.ts';
import { BusError } from '#bus/errors.ts';
import type { Clock } from '#core/clock.ts';
import type { UpstreamId, UpstreamRecord } from '#core/registry/record.ts';
import type { Item, ReplicaEvent } from '#core/registry/replica.ts';
import type { Seed } from '#core/registry/seed.ts';
import type { RegistryCodec, RegistryValue } from './codec.ts';
import { keyOf, SEED_KEY } from './forms.ts';

const BUCKET = 'registry';
/** Thousands of upstreams, each with its own certificates. */
const BUCKET_BYTES_MAX = 16 * 1024 * 1024;
/** For one read or write. */
const OPERATION_MS_MAX = 5_000;

/** The registry's bucket, with types. Operations reject with a BusError. */
export class RegistryStore {
  readonly #bucket: Bucket;
  readonly #codec: RegistryCodec;
  readonly #clock: Clock;

  constructor(bus: Bus, codec: RegistryCodec, clock: Clock) {
    this.#bucket = bus.bucket(BUCKET, { entryMsMax: null, bytesMax: BUCKET_BYTES_MAX });
    this.#codec = codec;
    this.#clock = clock;
  }

  watch(listener: (event: ReplicaEvent<RegistryValue>) => void): Watch {
    return this.#bucket.watch((event: WatchEvent) => listener(this.#codec.decodeEvent(event)));
  }

  /** Null when there is no such key; what is there may be unreadable. */
  async read(upstream: UpstreamId): Promise<Item<RegistryValue> | null> {
    const entry = await this.#within((signal) => this.#bucket.get(keyOf(upstream), signal));
    return entry === null ? null : this.#codec.decode(entry);
  }

  async readAll(): Promise<readonly Item<RegistryValue>[]> {
    const entries = await this.#within((signal) => this.#bucket.entries(signal));
    return entries.map((entry) => this.#codec.decode(entry));
  }

  /** Conflicts unless `revision` is the entry's own, or null and there is none. Returns the new revision. */
  write(record: UpstreamRecord, revision: number | null): Promise<number> {
    return this.#write(keyOf(record), this.#codec.encodeUpstream(record), revision);
  }

  /** As `write`. */
  writeSeed(seed: Seed, revision: number | null): Promise<number> {
    return this.#write(SEED_KEY, this.#codec.encodeSeed(seed), revision);
  }

  /** Conflicts unless `revision` is the entry's own. */
  delete(key: string, revision: number): Promise<void> {
    return this.#within((signal) => this.#bucket.delete(key, revision, signal));
  }

  #write(key: string, value: Uint8Array, revision: number | null): Promise<number> {
    return this.#within((signal) =>
      revision === null
        ? this.#bucket.create(key, value, signal)
        : this.#bucket.update(key, value, revision, signal),
    );
  }

  async #within<T>(operate: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const deadline = new AbortController();
    const timer = this.#clock.after(OPERATION_MS_MAX, () =>
      deadline.abort(new BusError('bus_timeout', `the bus did not answer within ${OPERATION_MS_MAX} ms`)),
    );
    try {
      return await operate(deadline.signal);
    } finally {
      timer.cancel();
    }
  }
}
