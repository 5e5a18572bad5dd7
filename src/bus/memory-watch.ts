import type { Watch, WatchEvent } from './contract.ts';

/** Changes that a watch has not told of yet; beyond it, it begins again with the content. */
export const WATCH_PENDING_MAX = 1024;

export type Change = Exclude<WatchEvent, { type: 'content' }>;

export type MemoryWatchOptions = {
  readonly content: () => Extract<WatchEvent, { type: 'content' }>;
  /** Must not throw. */
  readonly listener: (event: WatchEvent) => void;
  /** The watch begins again. */
  readonly reread: () => void;
  readonly ended: () => void;
};

/** Tells of changes when whoever made them has gone on. */
export class MemoryWatch implements Watch {
  readonly #options: MemoryWatchOptions;
  #pending: Change[] = [];
  #needsContent = true;
  #isTold = false;
  #isEnded = false;
  #revision = 0;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    queueMicrotask(() => this.#tell());
  }

  /** Nothing can get lost on the way. */
  get ageMs(): number {
    return this.#isTold ? 0 : Infinity;
  }

  get revision(): number {
    return this.#revision;
  }

  add(change: Change): void {
    // The content that is still to be told will have it.
    if (this.#needsContent) return;
    if (this.#pending.length === 0) queueMicrotask(() => this.#tell());
    this.#pending.push(change);
    if (this.#pending.length > WATCH_PENDING_MAX) {
      this.#pending = [];
      this.#needsContent = true;
      this.#options.reread();
    }
  }

  [Symbol.dispose](): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#options.ended();
  }

  #tell(): void {
    const events: WatchEvent[] = this.#needsContent ? [this.#options.content()] : this.#pending;
    this.#needsContent = false;
    this.#pending = [];
    this.#isTold = true;
    for (const event of events) {
      // A listener may end its watch.
      if (this.#isEnded) return;
      this.#revision = event.type === 'put' ? event.entry.revision : event.revision;
      this.#options.listener(event);
    }
  }
}
