import { Readable } from 'node:stream';

/** The body of a request as it comes off its connection, which reads on only when it is asked to. */
export class IncomingBody extends Readable {
  readonly #wanted: () => void;

  /** `wanted` is called when there is room for more. */
  constructor(wanted: () => void) {
    super();
    this.#wanted = wanted;
  }

  override _read(): void {
    this.#wanted();
  }
}
