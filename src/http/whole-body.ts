import type { ReplayableBody } from '#actors/request/exchange.ts';
import type { FlatHeaders } from '#core/headers.ts';
import { type KeptCount, UNCOUNTED } from './request-body.ts';

const NO_TRAILERS: FlatHeaders = [];
const NOTHING = () => {};

/**
 * The body of a request that came whole with its head, as most bodies do, or none. Nothing is waited for, and each
 * attempt is given its bytes. They are in memory as long as the request is, but only where they fit into the bound
 * are they there for another attempt.
 */
export class WholeBody implements ReplayableBody {
  readonly isDeclared = true;
  readonly trailers = NO_TRAILERS;
  /** As much of it as was read for an attempt. */
  readBytes = 0;
  readonly #body: Buffer;
  readonly #count: KeptCount;
  #isKept: boolean;

  constructor(body: Buffer, keptBytesMax: number, count: KeptCount = UNCOUNTED) {
    this.#body = body;
    this.#count = count;
    this.#isKept = body.length <= keptBytesMax && count.mayKeep;
    if (this.#isKept) count.add(body.length);
  }

  get bytes(): number {
    return this.#body.length;
  }

  get isReplayable(): boolean {
    return this.#isKept || this.readBytes === 0;
  }

  receive(told: (error: null) => void): () => void {
    told(null);
    return NOTHING;
  }

  open(): Buffer | null {
    this.readBytes = this.bytes;
    return this.bytes === 0 ? null : this.#body;
  }

  discard(): void {
    this.forget();
  }

  /** Keeps nothing for another attempt any more. */
  forget(): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    this.#count.add(-this.bytes);
  }
}

/** Of every request that has none. */
export const NO_BODY = new WholeBody(Buffer.alloc(0), 0);
