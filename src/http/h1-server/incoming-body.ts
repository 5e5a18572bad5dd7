import { Readable } from 'node:stream';
import type { FlatHeaders } from '#core/headers.ts';

/** The body of a request as it comes off its connection, which reads on only when it is asked to. */
export class IncomingBody extends Readable {
  rawTrailers: FlatHeaders = [];
  readonly #wanted: () => void;

  /** `wanted` is called when there is room for more. */
  constructor(wanted: () => void) {
    super();
    this.#wanted = wanted;
    // Whoever reads it sees that it is closed; maybe nobody does.
    this.on('error', () => {});
  }

  override _read(): void {
    this.#wanted();
  }
}
