import { Fields } from '#core/fields.ts';
import { COLON, CR, HTAB, LF, SP, TEXT, TOKEN } from './bytes.ts';
import type { HeadFault } from './faults.ts';
import { HeadFields } from './head-fields.ts';
import { skipText, viewOf } from './words.ts';

export type HeadLimits = {
  /** From the first byte to the line feed that ends the head. */
  readonly bytesMax: number;
  readonly fieldsMax: number;
};

/** Results of `parse` that are no position. */
export const INCOMPLETE = -1;
export const FAULTY = -2;

const NO_FIELDS = new Fields();
const EMPTY = Buffer.alloc(0);
const NO_VIEW = new DataView(new ArrayBuffer(0));

/** Of the empty line. */
const END_BYTES = 2;

/** Of what holds a head that came in pieces. */
const HELD_BYTES_MIN = 1024;

const START_LINE = 0;
const START_LINE_LF = 1;
const LINE = 2;
const NAME = 3;
const BEFORE_VALUE = 4;
const VALUE = 5;
const VALUE_LF = 6;
const END_LF = 7;
const COMPLETE = 8;

/** The first line of a kind of message. Positions in `bytes` are those of the call. */
export interface StartLine {
  /** Whether empty lines before it are to be ignored (RFC 9112 §2.2). */
  readonly skipsEmptyLines: boolean;
  /** What is wrong already with its first bytes, before it is complete; at least one is there. */
  check(bytes: Buffer, from: number, to: number): HeadFault | null;
  /** Reads the line, less its CRLF, whether it was checked or not. The view is of the bytes. */
  read(bytes: Buffer, view: DataView, from: number, to: number): HeadFault | null;
}

/**
 * Reads one head after the other, in whatever pieces they come (RFC 9112 §2–5), strictly: lines end in CRLF,
 * nothing is folded, repaired or skipped. Bytes are looked at once, and a head that comes in one piece is not
 * copied. Without a start line: a trailer section.
 */
export class HeadParser {
  /** Of the head that is complete. */
  fields: Fields = NO_FIELDS;
  /** What was wrong, after FAULTY. The connection cannot be read any further. */
  fault: HeadFault | null = null;

  readonly #startLine: StartLine | null;
  readonly #limits: HeadLimits;
  #state: number;
  /** What was scanned of this head, and where its start line begins. */
  #scannedBytes = 0;
  #startAt = 0;
  readonly #reading = new HeadFields();
  /** Of the bytes, while they are read: not for as long as the connection is there. */
  #view: DataView = NO_VIEW;
  /** The head so far, if it came in pieces. */
  #held = EMPTY;
  #heldBytes = 0;

  constructor(startLine: StartLine | null, limits: HeadLimits) {
    this.#startLine = startLine;
    this.#limits = limits;
    this.#state = this.#firstState;
  }

  /** Whether something of a head was read that is not complete. */
  get isWithin(): boolean {
    return this.#scannedBytes > 0;
  }

  /**
   * Reads on at `chunk[at]`, up to `chunkEnd`. Returns where the bytes after the head begin; INCOMPLETE, when all of
   * them belong to a head that goes on; or FAULTY. The call after a complete head begins the next one.
   */
  parse(chunk: Buffer, at: number, chunkEnd = chunk.length): number {
    if (this.#heldBytes === 0) {
      const end = this.#scan(chunk, at, chunkEnd);
      if (end === INCOMPLETE) this.#hold(chunk, at, chunkEnd);
      return end;
    }
    const heldBefore = this.#heldBytes;
    this.#hold(chunk, at, chunkEnd);
    const end = this.#scan(this.#held, 0, this.#heldBytes);
    if (end < 0) return end;
    this.#held = EMPTY;
    this.#heldBytes = 0;
    return at + end - heldBefore;
  }

  /** The fields of the head that is complete, for whoever passes it on: a connection that is idle keeps none. */
  takeFields(): Fields {
    const { fields } = this;
    this.fields = NO_FIELDS;
    return fields;
  }

  get #firstState(): number {
    return this.#startLine === null ? LINE : START_LINE;
  }

  #scan(bytes: Buffer, base: number, bytesEnd: number): number {
    if (this.fault !== null) return FAULTY;
    this.#view = viewOf(bytes);
    const end = Math.min(bytesEnd, base + this.#limits.bytesMax);
    let at = base + this.#scannedBytes;
    while (at < end) {
      at = this.#step(bytes, base, at, end);
      if (at === FAULTY) return FAULTY;
      if (this.#state === COMPLETE) {
        this.#complete(bytes, base, at);
        return at;
      }
    }
    if (end - base === this.#limits.bytesMax) return this.#fail('head_too_large');
    this.#scannedBytes = at - base;
    this.#view = NO_VIEW;
    return INCOMPLETE;
  }

  #step(bytes: Buffer, base: number, at: number, end: number): number {
    switch (this.#state) {
      case START_LINE:
        return this.#start(bytes, base, at, end);
      case START_LINE_LF:
        return this.#startEnd(bytes, base, at, end);
      case LINE:
        return this.#line(bytes, base, at, end);
      case NAME:
        return this.#name(bytes, base, at, end);
      case BEFORE_VALUE:
        return this.#beforeValue(bytes, base, at, end);
      case VALUE:
        return this.#value(bytes, base, at, end);
      case VALUE_LF:
        return this.#valueLineFeed(bytes, base, at);
      default:
        return this.#endLineFeed(bytes, at);
    }
  }

  // Each part of a line reads on with the next one: to go through the states for each costs more than the bytes.

  #start(bytes: Buffer, base: number, from: number, end: number): number {
    const at = this.#textEnd(bytes, from, end);
    if (at + 1 < end && bytes[at] === CR) return this.#startEnd(bytes, base, at + 1, end);
    const fault = this.#startFault(bytes, base, at);
    if (fault) return this.#fail(fault);
    if (at === end) return at;
    if (bytes[at] !== CR) return this.#failAt(bytes[at]);
    this.#state = START_LINE_LF;
    return at + 1;
  }

  #startFault(bytes: Buffer, base: number, at: number): HeadFault | null {
    const start = base + this.#startAt;
    return this.#startLine === null || at === start ? null : this.#startLine.check(bytes, start, at);
  }

  #startEnd(bytes: Buffer, base: number, at: number, end: number): number {
    const start = base + this.#startAt;
    if (bytes[at] !== LF) return this.#fail(this.#startFault(bytes, base, at - 1) ?? 'bare_cr');
    if (at - 1 === start && this.#startLine?.skipsEmptyLines) {
      this.#startAt = at + 1 - base;
      this.#state = START_LINE;
      return at + 1;
    }
    const fault = this.#startLine?.read(bytes, this.#view, start, at - 1);
    if (fault) return this.#fail(fault);
    this.#state = LINE;
    return at + 1 === end ? end : this.#line(bytes, base, at + 1, end);
  }

  #line(bytes: Buffer, base: number, from: number, end: number): number {
    const fields = this.#reading;
    const { fieldsMax } = this.#limits;
    fields.begin(from - base);
    const at = base + fields.takeKnown(this.#view, base, from - base, end - base, fieldsMax);
    if (at === end) return at;
    fields.nameAt = at - base;
    if (fields.common !== null) return this.#colon(bytes, base, at + fields.common.name.length, end);
    const byte = bytes[at];
    if (byte === CR) {
      this.#state = END_LF;
      return at + 1 === end ? end : this.#endLineFeed(bytes, at + 1);
    }
    if (byte === SP || byte === HTAB) return this.#fail('obs_fold');
    if (fields.count === fieldsMax) return this.#fail('too_many_fields');
    this.#state = NAME;
    return this.#name(bytes, base, at, end);
  }

  #name(bytes: Buffer, base: number, from: number, end: number): number {
    const at = skip(TOKEN, bytes, from, end);
    if (at === end) return at;
    const byte = bytes[at];
    const isEmpty = at - base === this.#reading.nameAt;
    if (byte !== COLON || isEmpty) {
      const isBlank = byte === SP || byte === HTAB;
      if (isBlank) return this.#fail('space_before_colon');
      const isText = byte === CR || TEXT[byte as number] === 1;
      return isText ? this.#fail('bad_field_name') : this.#failAt(byte);
    }
    return this.#colon(bytes, base, at, end);
  }

  #colon(bytes: Buffer, base: number, at: number, end: number): number {
    this.#reading.nameEnd = at - base;
    this.#state = BEFORE_VALUE;
    return this.#beforeValue(bytes, base, at + 1, end);
  }

  #beforeValue(bytes: Buffer, base: number, from: number, end: number): number {
    let at = from;
    while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++;
    if (at === end) return at;
    this.#reading.valueAt = at - base;
    this.#state = VALUE;
    return this.#value(bytes, base, at, end);
  }

  #value(bytes: Buffer, base: number, from: number, end: number): number {
    const at = this.#textEnd(bytes, from, end);
    if (at === end) return at;
    if (bytes[at] !== CR) return this.#failAt(bytes[at]);
    const start = base + this.#reading.valueAt;
    let last = at;
    while (last > start && (bytes[last - 1] === SP || bytes[last - 1] === HTAB)) last--;
    this.#reading.valueEnd = last - base;
    this.#state = VALUE_LF;
    return at + 1 === end ? end : this.#valueLineFeed(bytes, base, at + 1);
  }

  #valueLineFeed(bytes: Buffer, base: number, at: number): number {
    if (bytes[at] !== LF) return this.#fail('bare_cr');
    this.#reading.take(bytes, this.#view, base, at + 1 - base);
    this.#state = LINE;
    return at + 1;
  }

  #endLineFeed(bytes: Buffer, at: number): number {
    if (bytes[at] !== LF) return this.#fail('bare_cr');
    this.#state = COMPLETE;
    return at + 1;
  }

  #complete(bytes: Buffer, base: number, end: number): void {
    this.fields = this.#reading.complete(bytes, base, end - base - END_BYTES);
    this.#view = NO_VIEW;
    this.#startAt = 0;
    this.#scannedBytes = 0;
    this.#state = this.#firstState;
  }

  /** Where the first byte from `from` on stands that is no text. */
  #textEnd(bytes: Buffer, from: number, end: number): number {
    return skip(TEXT, bytes, skipText(this.#view, from, end), end);
  }

  #hold(chunk: Buffer, at: number, chunkEnd: number): void {
    const more = Math.min(chunkEnd - at, this.#limits.bytesMax - this.#heldBytes);
    const needed = this.#heldBytes + more;
    if (this.#held.length < needed) {
      const held = Buffer.allocUnsafe(Math.max(HELD_BYTES_MIN, 2 * this.#held.length, needed));
      this.#held.copy(held, 0, 0, this.#heldBytes);
      this.#held = held;
    }
    chunk.copy(this.#held, this.#heldBytes, at, at + more);
    this.#heldBytes = needed;
  }

  #failAt(byte: number | undefined): number {
    if (byte === LF) return this.#fail('bare_lf');
    return this.#fail(byte === CR ? 'bare_cr' : 'control_character');
  }

  #fail(fault: HeadFault): number {
    this.fault = fault;
    return FAULTY;
  }
}

function skip(table: Uint8Array, bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && table[bytes[at] as number] === 1) at++;
  return at;
}
