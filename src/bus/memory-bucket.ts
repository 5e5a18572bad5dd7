import type { Clock } from '#core/clock.ts';
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
import { conflict, full, tooLarge } from './errors.ts';
import { type Change, MemoryWatch } from './memory-watch.ts';
import { requireKey } from './names.ts';
import type { Room } from './room.ts';

export type MemoryBucketTools = {
  readonly clock: Clock;
  readonly counts: BusCounts;
  readonly deliveries: Deliveries;
  readonly watches: Room;
  /** Aborts when the bus is closed. */
  readonly closed: AbortSignal;
};

type Stored = Entry & { readonly writtenMs: number };

/** Operations are done when they are called; only their answers come later. */
export class MemoryBucket implements Bucket {
  readonly #name: string;
  readonly #options: BucketOptions;
  readonly #tools: MemoryBucketTools;
  /** In order of revision, and so of age. */
  readonly #stored = new Map<string, Stored>();
  readonly #watches = new Set<MemoryWatch>();
  #bytes = 0;
  #revision = 0;

  constructor(name: string, options: BucketOptions, tools: MemoryBucketTools) {
    this.#name = name;
    this.#options = options;
    this.#tools = tools;
  }

  async get(key: string, signal: AbortSignal): Promise<Entry | null> {
    this.#begin(key, signal);
    return entryOf(this.#stored.get(key));
  }

  async entries(signal: AbortSignal): Promise<readonly Entry[]> {
    this.#begin(null, signal);
    return this.#content();
  }

  async create(key: string, value: Uint8Array, signal: AbortSignal): Promise<number> {
    this.#begin(key, signal);
    if (this.#stored.has(key)) throw conflict(this.#name, key);
    return this.#write(key, value);
  }

  async update(key: string, value: Uint8Array, revision: number, signal: AbortSignal): Promise<number> {
    this.#begin(key, signal);
    if (this.#stored.get(key)?.revision !== revision) throw conflict(this.#name, key);
    return this.#write(key, value);
  }

  async put(key: string, value: Uint8Array, signal: AbortSignal): Promise<number> {
    this.#begin(key, signal);
    return this.#write(key, value);
  }

  async delete(key: string, revision: number | null, signal: AbortSignal): Promise<void> {
    this.#begin(key, signal);
    if (revision !== null && this.#stored.get(key)?.revision !== revision) throw conflict(this.#name, key);
    this.#remove(key);
    this.#tell({ type: 'deleted', key, revision: ++this.#revision });
  }

  watch(listener: (event: WatchEvent) => void): Watch {
    const { watches, deliveries, counts, closed } = this.#tools;
    closed.throwIfAborted();
    const place = watches.claim();
    const watch = new MemoryWatch({
      content: () => {
        this.#expire();
        return { type: 'content', entries: this.#content(), revision: this.#revision, epoch: 'memory' };
      },
      listener: deliveries.guard(`what watches ${this.#name}`, listener),
      reread: () => counts.rereads++,
      ended: () => {
        this.#watches.delete(watch);
        place[Symbol.dispose]();
      },
    });
    this.#watches.add(watch);
    return watch;
  }

  endWatches(): void {
    for (const watch of this.#watches) watch[Symbol.dispose]();
  }

  #begin(key: string | null, signal: AbortSignal): void {
    if (key !== null) requireKey(key);
    signal.throwIfAborted();
    this.#tools.closed.throwIfAborted();
    this.#expire();
  }

  #write(key: string, value: Uint8Array): number {
    if (value.length > MESSAGE_BYTES_MAX) throw tooLarge(`the value of ${key}`);
    const replaced = sizeOf(this.#stored.get(key));
    const bytes = this.#bytes - replaced + key.length + value.length;
    if (bytes > this.#options.bytesMax) throw full(this.#name);
    this.#remove(key);
    const entry = { key, value, revision: ++this.#revision };
    this.#stored.set(key, { ...entry, writtenMs: this.#tools.clock.monotonicMs() });
    this.#bytes = bytes;
    this.#tell({ type: 'put', entry });
    return entry.revision;
  }

  #remove(key: string): void {
    this.#bytes -= sizeOf(this.#stored.get(key));
    this.#stored.delete(key);
  }

  #expire(): void {
    const { entryMsMax } = this.#options;
    if (entryMsMax === null) return;
    const oldestMs = this.#tools.clock.monotonicMs() - entryMsMax;
    for (const { key, writtenMs } of this.#stored.values()) {
      if (writtenMs > oldestMs) return;
      this.#remove(key);
    }
  }

  #content(): Entry[] {
    return [...this.#stored.values()].map(({ key, value, revision }) => ({ key, value, revision }));
  }

  #tell(change: Change): void {
    for (const watch of this.#watches) watch.add(change);
  }
}

function entryOf(stored: Stored | undefined): Entry | null {
  return stored === undefined ? null : { key: stored.key, value: stored.value, revision: stored.revision };
}

function sizeOf(stored: Stored | undefined): number {
  return stored === undefined ? 0 : stored.key.length + stored.value.length;
}
