/** Places for what is under way: so many in all, and fewer for any one client. */
export class Places {
  readonly #max: number;
  readonly #perClientMax: number;
  /** As many entries as there are places at most. */
  readonly #taken = new Map<string, number>();
  #inAll = 0;

  constructor(max: number, perClientMax: number) {
    this.#max = max;
    this.#perClientMax = perClientMax;
  }

  /** False when there is none left; else `leave` has to follow, once. */
  take(client: string): boolean {
    const taken = this.#taken.get(client) ?? 0;
    if (this.#inAll >= this.#max || taken >= this.#perClientMax) return false;
    this.#inAll++;
    this.#taken.set(client, taken + 1);
    return true;
  }

  leave(client: string): void {
    const taken = this.#taken.get(client) ?? 0;
    this.#inAll--;
    if (taken > 1) this.#taken.set(client, taken - 1);
    else this.#taken.delete(client);
  }
}
