import { BACKSLASH, CR, DQUOTE, HEX, HTAB, LF, SEMICOLON, SP, TEXT } from './bytes.ts';
import type { BodyFault } from './faults.ts';
import { FAULTY, HeadParser, INCOMPLETE } from './head-parser.ts';
import { passableTrailers } from './trailers.ts';

/** Digits of a chunk's size, zeros in front included. */
export const SIZE_DIGITS_MAX = 16;
/** Of one chunk. Extensions mean nothing to us, and are dropped. */
export const EXTENSION_BYTES_MAX = 1024;
export const TRAILER_LIMITS = { bytesMax: 16_384, fieldsMax: 128 };

export type BodyStep = 'data' | 'incomplete' | 'complete' | 'faulty';

const SIZE = 0;
const AFTER_SIZE = 1;
const EXTENSION = 2;
const SIZE_LF = 3;
const DATA = 4;
const DATA_CR = 5;
const DATA_LF = 6;
const TRAILERS = 7;

/**
 * Takes the chunked coding off one body after the other (RFC 9112 §7.1), in whatever pieces they come. It reads
 * in steps: after `data`, body bytes stand from `from` to `at` in the bytes that were given, and are not copied.
 */
export class ChunkedDecoder {
  /** Where to read on. */
  at = 0;
  from = 0;
  fault: BodyFault | null = null;
  /** Name, value, name, value … of the body that is complete, less what may not stand there. */
  trailers: readonly string[] = [];

  readonly #trailerParser = new HeadParser(null, TRAILER_LIMITS);
  #state = SIZE;
  /** Of the bytes that are read. */
  #end = 0;
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  /** Within a quoted string of an extension, and whether its next character is escaped. */
  #isQuoted = false;
  #isEscaped = false;

  /** Reads from `bytes[at]` to the next thing to tell, or to `end`. The step after `complete` begins the next body. */
  step(bytes: Buffer, at: number, end = bytes.length): BodyStep {
    this.at = at;
    this.#end = end;
    if (this.fault !== null) return 'faulty';
    while (this.at < end) {
      if (this.#state === DATA) return this.#data();
      if (this.#state === TRAILERS) return this.#trailers(bytes);
      const fault = this.#frame(bytes);
      if (fault !== null) {
        this.fault = fault;
        return 'faulty';
      }
    }
    return 'incomplete';
  }

  #data(): BodyStep {
    this.from = this.at;
    this.at = Math.min(this.#end, this.at + this.#size);
    this.#size -= this.at - this.from;
    if (this.#size === 0) this.#state = DATA_CR;
    return 'data';
  }

  #trailers(bytes: Buffer): BodyStep {
    const end = this.#trailerParser.parse(bytes, this.at, this.#end);
    if (end === FAULTY) {
      this.fault = this.#trailerParser.fault;
      return 'faulty';
    }
    this.at = end === INCOMPLETE ? this.#end : end;
    if (end === INCOMPLETE) return 'incomplete';
    this.trailers = passableTrailers(this.#trailerParser.takeFields().flat());
    this.#state = SIZE;
    return 'complete';
  }

  /** One piece of what stands between data. */
  #frame(bytes: Buffer): BodyFault | null {
    switch (this.#state) {
      case SIZE:
        return this.#readSize(bytes);
      case AFTER_SIZE:
        return this.#readAfterSize(bytes[this.at++] as number);
      case EXTENSION:
        return this.#readExtension(bytes);
      case SIZE_LF:
        return this.#readSizeEnd(bytes[this.at++] as number);
      case DATA_CR:
        this.#state = DATA_LF;
        return bytes[this.at++] === CR ? null : 'bad_chunk_end';
      default:
        this.#state = SIZE;
        return bytes[this.at++] === LF ? null : 'bad_chunk_end';
    }
  }

  #readSize(bytes: Buffer): BodyFault | null {
    while (this.at < this.#end) {
      const digit = HEX[bytes[this.at] as number] as number;
      if (digit < 0) {
        this.#state = AFTER_SIZE;
        return this.#digits === 0 ? 'bad_chunk_size' : null;
      }
      this.#size = this.#size * 16 + digit;
      this.at++;
      if (++this.#digits > SIZE_DIGITS_MAX || this.#size > Number.MAX_SAFE_INTEGER) return 'chunk_too_large';
    }
    return null;
  }

  /** White space may stand before an extension (RFC 9112 §7.1.1), and nowhere else. */
  #readAfterSize(byte: number): BodyFault | null {
    if (byte === SEMICOLON) this.#state = EXTENSION;
    else if (byte === CR && this.#extensionBytes === 0) this.#state = SIZE_LF;
    else if (byte !== SP && byte !== HTAB) return 'bad_chunk_size';
    else if (++this.#extensionBytes > EXTENSION_BYTES_MAX) return 'chunk_extension_too_large';
    return null;
  }

  #readExtension(bytes: Buffer): BodyFault | null {
    while (this.at < this.#end) {
      const byte = bytes[this.at++] as number;
      if (byte === CR) {
        this.#state = SIZE_LF;
        return this.#isQuoted ? 'open_quote' : null;
      }
      this.#readQuote(byte);
      if (TEXT[byte] !== 1) return byte === LF ? 'bare_lf' : 'control_character';
      if (++this.#extensionBytes > EXTENSION_BYTES_MAX) return 'chunk_extension_too_large';
    }
    return null;
  }

  /** Whoever reads the string on would find the end of the line elsewhere. */
  #readQuote(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === DQUOTE) this.#isQuoted = !this.#isQuoted;
    else this.#isEscaped = this.#isQuoted && byte === BACKSLASH;
  }

  #readSizeEnd(byte: number): BodyFault | null {
    if (byte !== LF) return 'bare_cr';
    this.#state = this.#size === 0 ? TRAILERS : DATA;
    this.#digits = 0;
    this.#extensionBytes = 0;
    return null;
  }
}
