import type { Entry, WatchEvent } from '#bus/contract.ts';
import { MessageType } from '#bus/messages.ts';
import { idOf, type UpstreamRecord } from '#core/registry/record.ts';
import type { Item, ReplicaEvent } from '#core/registry/replica.ts';
import type { Seed } from '#core/registry/seed.ts';
import type { Log } from '#telemetry/log.ts';
import { RegistryError } from './errors.ts';
import { bodyOf, keyOf, recordIn, SEED_FORM, SEED_KEY, UPSTREAM_FORM } from './forms.ts';

export type RegistryValue =
  | { readonly kind: 'upstream'; readonly record: UpstreamRecord }
  | { readonly kind: 'seed'; readonly seed: Seed };

/** Keys whose unreadable values are remembered, so that each is told of once; of more, nothing is told. */
export const REJECTED_MAX = 1024;

/** Values of the registry to and from bytes. What cannot be read is counted, and logged once. */
export class RegistryCodec {
  readonly #instance: string;
  readonly #log: Log;
  readonly #upstreams = new MessageType(UPSTREAM_FORM);
  readonly #seeds = new MessageType(SEED_FORM);
  /** The revision of the value that could not be read, by key. */
  readonly #rejected = new Map<string, number>();
  #sequence = 0;
  #rejects = 0;

  constructor(instance: string, log: Log) {
    this.#instance = instance;
    this.#log = log;
  }

  /** Values that could not be read, as far as they are told of. */
  get rejects(): number {
    return this.#rejects;
  }

  /** Throws a RegistryError when the record is too large for the bus. */
  encodeUpstream(record: UpstreamRecord): Uint8Array {
    const value = this.#upstreams.encode({ ...this.#sender(), body: bodyOf(record) });
    if (value !== null) return value;
    throw new RegistryError(
      'registry_too_large',
      `${idOf(record)} is too large for the bus: its certificates`,
    );
  }

  encodeSeed(seed: Seed): Uint8Array {
    const value = this.#seeds.encode({ ...this.#sender(), body: seed });
    if (value === null) throw new TypeError('A seed is a few bytes.');
    return value;
  }

  decode({ key, value, revision }: Entry): Item<RegistryValue> {
    const read = key === SEED_KEY ? this.#readSeed(value) : this.#readUpstream(key, value);
    if (typeof read === 'string') {
      this.#reject(key, revision, read);
      return { key, value: null, revision };
    }
    this.#rejected.delete(key);
    return { key, value: read, revision };
  }

  decodeEvent(event: WatchEvent): ReplicaEvent<RegistryValue> {
    switch (event.type) {
      case 'content':
        return { ...event, items: event.entries.map((entry) => this.decode(entry)) };
      case 'put':
        return { type: 'put', item: this.decode(event.entry) };
      case 'deleted':
        this.#rejected.delete(event.key);
        return event;
    }
  }

  #sender() {
    return { from: this.#instance, sequence: ++this.#sequence };
  }

  /** What the value is, or else why it is nothing. */
  #readSeed(value: Uint8Array): RegistryValue | string {
    const decoded = this.#seeds.decode(value);
    return decoded.ok ? { kind: 'seed', seed: decoded.message.body } : decoded.reason;
  }

  #readUpstream(key: string, value: Uint8Array): RegistryValue | string {
    const decoded = this.#upstreams.decode(value);
    if (!decoded.ok) return decoded.reason;
    const record = recordIn(decoded.message.body);
    return keyOf(record) === key ? { kind: 'upstream', record } : 'wrong_key';
  }

  #reject(key: string, revision: number, reason: string): void {
    const isNew = !this.#rejected.has(key);
    if (this.#rejected.get(key) === revision || (isNew && this.#rejected.size >= REJECTED_MAX)) return;
    this.#rejected.set(key, revision);
    this.#rejects++;
    this.#log.warn(
      { key, revision, reason },
      'registry: a value cannot be read; what it would change stays as it is',
    );
    if (isNew && this.#rejected.size === REJECTED_MAX) {
      this.#log.warn('registry: these are %d now; if there are more, they are not told of', REJECTED_MAX);
    }
  }
}
