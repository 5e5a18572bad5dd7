/**
 * A copy of a bucket, kept by what a watch tells. Within one content and what follows it, changes may come in
 * any order and more than once: of each key the latest one counts.
 */

export type Versioned<Value> = { readonly value: Value; readonly revision: number };

export type Item<Value> = {
  readonly key: string;
  /** Null: it could not be read. */
  readonly value: Value | null;
  readonly revision: number;
};

export type ReplicaEvent<Value> =
  | {
      readonly type: 'content';
      readonly items: readonly Item<Value>[];
      readonly revision: number;
      readonly epoch: string;
    }
  | { readonly type: 'put'; readonly item: Item<Value> }
  | { readonly type: 'deleted'; readonly key: string; readonly revision: number };

/** Keys that are remembered as deleted since the last content. */
const DELETED_MAX = 4096;

export class Replica<Value> {
  #epoch = '';
  #revision = 0;
  /** Changes up to this one are in the content. */
  #floor = 0;
  #entries = new Map<string, Versioned<Value>>();
  readonly #deleted = new Map<string, number>();

  /** Changes when the bucket was made anew; '' before the first content. */
  get epoch(): string {
    return this.#epoch;
  }

  /** Of the latest change; 0 for none. */
  get revision(): number {
    return this.#revision;
  }

  get entries(): ReadonlyMap<string, Versioned<Value>> {
    return this.#entries;
  }

  /** What cannot be read changes nothing: a value that was known stays. */
  apply(event: ReplicaEvent<Value>): void {
    switch (event.type) {
      case 'content':
        this.#replace(event);
        return;
      case 'put':
        if (this.#takes(event.item.key, event.item.revision)) this.#put(event.item);
        return;
      case 'deleted':
        if (this.#takes(event.key, event.revision)) this.#delete(event.key, event.revision);
        return;
    }
  }

  #replace({ items, revision, epoch }: Extract<ReplicaEvent<Value>, { type: 'content' }>): void {
    const before = epoch === this.#epoch ? this.#entries : new Map<string, Versioned<Value>>();
    this.#entries = new Map();
    this.#deleted.clear();
    this.#epoch = epoch;
    this.#revision = revision;
    this.#floor = revision;
    for (const { key, value, revision } of items) {
      const kept = value === null ? before.get(key) : { value, revision };
      if (kept !== undefined) this.#entries.set(key, kept);
    }
  }

  #takes(key: string, revision: number): boolean {
    if (revision <= this.#floor) return false;
    return revision > Math.max(this.#entries.get(key)?.revision ?? 0, this.#deleted.get(key) ?? 0);
  }

  #put({ key, value, revision }: Item<Value>): void {
    this.#revision = Math.max(this.#revision, revision);
    if (value === null) return;
    this.#deleted.delete(key);
    this.#entries.set(key, { value, revision });
  }

  #delete(key: string, revision: number): void {
    this.#revision = Math.max(this.#revision, revision);
    this.#entries.delete(key);
    this.#deleted.set(key, revision);
    if (this.#deleted.size <= DELETED_MAX) return;
    const [oldest] = this.#deleted;
    if (oldest === undefined) return;
    this.#deleted.delete(oldest[0]);
    this.#floor = Math.max(this.#floor, oldest[1]);
  }
}
