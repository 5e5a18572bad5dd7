/** Lets so many in at once; the others wait in line. */
export class Places {
  #free: number;
  /** In the order in which they came. */
  readonly #line = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Calls `enter` when there is a place, at once if there is one. The place is kept until `leave`. */
  claim(enter: () => void): { leave(): void } {
    if (this.#free > 0) {
      this.#free--;
      enter();
      return { leave: once(() => this.#pass()) };
    }
    let hasEntered = false;
    const turn = () => {
      hasEntered = true;
      enter();
    };
    this.#line.add(turn);
    return {
      leave: once(() => {
        if (hasEntered) this.#pass();
        else this.#line.delete(turn);
      }),
    };
  }

  #pass(): void {
    const [next] = this.#line;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#line.delete(next);
    next();
  }
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}
