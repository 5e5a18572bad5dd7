import { BodyReader } from '../h1/body-reader.ts';
import type { BodyStep } from '../h1/chunked-decoder.ts';
import type { Framing } from '../h1/framing.ts';
import { kept } from '../read-buffers.ts';
import { IncomingBody } from './incoming-body.ts';

/** Takes the bodies of requests off one connection, one after the other, as fast as somebody reads them. */
export class BodyIntake {
  /** Where to read on, after a step. */
  at = 0;
  /** Of the declared length; Infinity when it is not declared, 0 without a body and once it was read whole. */
  bytesLeft = 0;
  /** Whoever reads it has enough for now. */
  isFull = false;
  /** Until it was read whole. */
  body: IncomingBody | null = null;
  readonly #reader = new BodyReader();
  readonly #wanted: () => void;

  /** `wanted` is called when there is room for more. */
  constructor(wanted: () => void) {
    this.#wanted = wanted;
  }

  begin(framing: Framing): void {
    this.#reader.begin(framing);
    this.bytesLeft = framing.kind === 'length' ? framing.bytes : Infinity;
    this.isFull = false;
    this.body = new IncomingBody(() => {
      this.isFull = false;
      this.#wanted();
    });
  }

  /**
   * Reads from `bytes[at]` to the next thing to tell, or to `end`. After `complete` and `faulty` there is no body any
   * more.
   */
  step(body: IncomingBody, bytes: Buffer, at: number, end: number): BodyStep {
    const reader = this.#reader;
    const step = reader.step(bytes, at, end);
    this.at = reader.at;
    if (step === 'data') {
      this.bytesLeft -= reader.at - reader.from;
      this.isFull = !body.push(kept(bytes.subarray(reader.from, reader.at)));
    } else if (step === 'complete') {
      this.#end();
      body.rawTrailers = reader.takeTrailers();
      body.push(null);
    } else if (step === 'faulty') {
      this.#end();
      body.destroy();
    }
    return step;
  }

  /** Breaks the body off, of which nothing else will be read. */
  fail(error: Error): void {
    this.body?.destroy(error);
    this.#end();
  }

  #end(): void {
    this.body = null;
    this.bytesLeft = 0;
  }
}
