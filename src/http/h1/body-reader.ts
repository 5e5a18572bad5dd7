import { type BodyStep, ChunkedDecoder } from './chunked-decoder.ts';
import type { BodyFault } from './faults.ts';
import type { Framing } from './framing.ts';

/**
 * Reads the bodies of one connection, however they are framed, in steps: after `data`, body bytes stand from
 * `from` to `at` in the bytes that were given; after `complete`, the next message begins at `at`.
 */
export class BodyReader {
  at = 0;
  from = 0;

  #framing: Framing['kind'] = 'none';
  /** Of a body with a declared length. */
  #bytesLeft = 0;
  #chunks: ChunkedDecoder | null = null;

  get fault(): BodyFault | null {
    return this.#chunks?.fault ?? null;
  }

  /** Of the body that is complete, for whoever passes them on: a connection that is idle keeps none. */
  takeTrailers(): readonly string[] {
    const chunks = this.#chunks;
    if (this.#framing !== 'chunked' || chunks === null) return NO_TRAILERS;
    const { trailers } = chunks;
    chunks.trailers = NO_TRAILERS;
    return trailers;
  }

  /** Whether the end of the connection is the end of the body. */
  get endsWithConnection(): boolean {
    return this.#framing === 'until_close';
  }

  begin(framing: Framing): void {
    this.#framing = framing.kind;
    this.#bytesLeft = framing.kind === 'length' ? framing.bytes : 0;
    if (framing.kind === 'chunked') this.#chunks ??= new ChunkedDecoder();
  }

  /** Reads from `bytes[at]` to the next thing to tell, or to `end`. */
  step(bytes: Buffer, at: number, end = bytes.length): BodyStep {
    if (this.#framing === 'chunked' && this.#chunks !== null)
      return this.#stepChunks(this.#chunks, bytes, at, end);
    this.from = at;
    this.at = at;
    if (this.#framing !== 'until_close' && this.#bytesLeft === 0) return 'complete';
    if (at === end) return 'incomplete';
    if (this.#framing === 'until_close') this.at = end;
    else this.at = Math.min(end, at + this.#bytesLeft);
    this.#bytesLeft -= this.at - at;
    return 'data';
  }

  #stepChunks(chunks: ChunkedDecoder, bytes: Buffer, at: number, end: number): BodyStep {
    const step = chunks.step(bytes, at, end);
    this.at = chunks.at;
    this.from = chunks.from;
    return step;
  }
}

const NO_TRAILERS: readonly string[] = [];
