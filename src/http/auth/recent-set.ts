/** A set that holds `entriesMax` strings at most and forgets the least recently used first. */
export class RecentSet {
  readonly #entriesMax: number;
  readonly #entries = new Set<string>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  /** Asking for an entry counts as using it. */
  has(entry: string): boolean {
    const isKnown = this.#entries.delete(entry);
    if (isKnown) this.#entries.add(entry);
    return isKnown;
  }

  add(entry: string): void {
    this.#entries.delete(entry);
    this.#entries.add(entry);
    for (const oldest of this.#entries) {
      if (this.#entries.size <= this.#entriesMax) return;
      this.#entries.delete(oldest);
    }
  }

  get size(): number {
    return this.#entries.size;
  }
}
