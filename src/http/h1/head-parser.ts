import { COLON, CR, HTAB, LF, SP, TEXT, TOKEN } from './bytes.ts';
import { commonName } from './common-names.ts';
import type { HeadFault } from './faults.ts';

export type HeadLimits = {
  /** From the first byte to the line feed that ends the head. */
  readonly bytesMax: number;
  readonly fieldsMax: number;
};

/** Results of `parse` that are no position. */
export const INCOMPLETE = -1;
export const FAULTY = -2;

const EMPTY = Buffer.alloc(0);

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

/** Numbers that are marked for each field: where name and value begin and end. */
const MARKS = 4;

/** The first line of a kind of message. Positions in `bytes` are those of the call. */
export interface StartLine {
  /** Whether empty lines before it are to be ignored (RFC 9112 §2.2). */
  readonly skipsEmptyLines: boolean;
  /** What is wrong already with its first bytes, before it is complete; at least one is there. */
  check(bytes: Buffer, from: number, to: number): HeadFault | null;
  /** Reads the line, less its CRLF. */
  read(bytes: Buffer, from: number, to: number): HeadFault | null;
}

/**
 * Reads one head after the other, in whatever pieces they come (RFC 9112 §2–5), strictly: lines end in CRLF,
 * nothing is folded, repaired or skipped. Bytes are looked at once, and a head that comes in one piece is not
 * copied. Strings have one character for each byte. Without a start line: a trailer section.
 */
export class HeadParser {
  /** Name, value, name, value … of the head that is complete, white space around values taken off. */
  headers: string[] = [];
  /** What was wrong, after FAULTY. The connection cannot be read any further. */
  fault: HeadFault | null = null;

  readonly #startLine: StartLine | null;
  readonly #limits: HeadLimits;
  #state: number;
  /** What was scanned of this head, where its start line begins, and where its fields are. */
  #scannedBytes = 0;
  #startAt = 0;
  readonly #marks: number[] = [];
  #markCount = 0;
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
   * Reads on at `chunk[at]`. Returns where the bytes after the head begin; INCOMPLETE, when all of the chunk
   * belongs to a head that goes on; or FAULTY. The call after a complete head begins the next one.
   */
  parse(chunk: Buffer, at: number): number {
    if (this.#heldBytes === 0) {
      const end = this.#scan(chunk, at, chunk.length);
      if (end === INCOMPLETE) this.#hold(chunk, at);
      return end;
    }
    const heldBefore = this.#heldBytes;
    this.#hold(chunk, at);
    const end = this.#scan(this.#held, 0, this.#heldBytes);
    if (end < 0) return end;
    this.#held = EMPTY;
    this.#heldBytes = 0;
    return at + end - heldBefore;
  }

  get #firstState(): number {
    return this.#startLine === null ? LINE : START_LINE;
  }

  #scan(bytes: Buffer, base: number, bytesEnd: number): number {
    if (this.fault !== null) return FAULTY;
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
    return INCOMPLETE;
  }

  #step(bytes: Buffer, base: number, at: number, end: number): number {
    switch (this.#state) {
      case START_LINE:
        return this.#first(bytes, base, at, end);
      case START_LINE_LF:
        return this.#firstEnd(bytes, base, at);
      case LINE:
        return this.#line(bytes, base, at, end);
      case NAME:
        return this.#name(bytes, base, at, end);
      case BEFORE_VALUE:
        return this.#beforeValue(bytes, base, at, end);
      case VALUE:
        return this.#value(bytes, base, at, end);
      case VALUE_LF:
        return this.#lineFeed(bytes, at, LINE);
      default:
        return this.#lineFeed(bytes, at, COMPLETE);
    }
  }

  #first(bytes: Buffer, base: number, from: number, end: number): number {
    const start = base + this.#startAt;
    const at = skip(TEXT, bytes, from, end);
    const fault = at > start ? this.#startLine?.check(bytes, start, at) : null;
    if (fault) return this.#fail(fault);
    if (at === end) return at;
    if (bytes[at] !== CR) return this.#failAt(bytes[at]);
    this.#state = START_LINE_LF;
    return at + 1;
  }

  #firstEnd(bytes: Buffer, base: number, at: number): number {
    const start = base + this.#startAt;
    if (bytes[at] !== LF) return this.#fail('bare_cr');
    if (at - 1 === start && this.#startLine?.skipsEmptyLines) {
      this.#startAt = at + 1 - base;
      this.#state = START_LINE;
      return at + 1;
    }
    const fault = this.#startLine?.read(bytes, start, at - 1);
    if (fault) return this.#fail(fault);
    this.#state = LINE;
    return at + 1;
  }

  // Each part of a field reads on with the next one: to go through the states for each costs more than the bytes.

  #line(bytes: Buffer, base: number, at: number, end: number): number {
    const byte = bytes[at];
    if (byte === CR) {
      this.#state = END_LF;
      return at + 1;
    }
    if (byte === SP || byte === HTAB) return this.#fail('obs_fold');
    if (this.#markCount === this.#limits.fieldsMax * MARKS) return this.#fail('too_many_fields');
    this.#mark(at - base);
    this.#state = NAME;
    return this.#name(bytes, base, at, end);
  }

  #name(bytes: Buffer, base: number, from: number, end: number): number {
    const at = skip(TOKEN, bytes, from, end);
    if (at === end) return at;
    const byte = bytes[at];
    const isEmpty = at - base === this.#marks[this.#markCount - 1];
    if (byte !== COLON || isEmpty) {
      const isBlank = byte === SP || byte === HTAB;
      if (isBlank) return this.#fail('space_before_colon');
      const isText = byte === CR || TEXT[byte as number] === 1;
      return isText ? this.#fail('bad_field_name') : this.#failAt(byte);
    }
    this.#mark(at - base);
    this.#state = BEFORE_VALUE;
    return this.#beforeValue(bytes, base, at + 1, end);
  }

  #beforeValue(bytes: Buffer, base: number, from: number, end: number): number {
    let at = from;
    while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++;
    if (at === end) return at;
    this.#mark(at - base);
    this.#state = VALUE;
    return this.#value(bytes, base, at, end);
  }

  #value(bytes: Buffer, base: number, from: number, end: number): number {
    const at = skip(TEXT, bytes, from, end);
    if (at === end) return at;
    if (bytes[at] !== CR) return this.#failAt(bytes[at]);
    const start = base + (this.#marks[this.#markCount - 1] as number);
    let last = at;
    while (last > start && (bytes[last - 1] === SP || bytes[last - 1] === HTAB)) last--;
    this.#mark(last - base);
    this.#state = VALUE_LF;
    return at + 1 === end ? end : this.#lineFeed(bytes, at + 1, LINE);
  }

  #lineFeed(bytes: Buffer, at: number, next: number): number {
    if (bytes[at] !== LF) return this.#fail('bare_cr');
    this.#state = next;
    return at + 1;
  }

  /** A string for the whole head, of which the fields are parts: one copy, however many there are. */
  #complete(bytes: Buffer, base: number, end: number): void {
    const head = bytes.toString('latin1', base, end);
    const marks = this.#marks as readonly number[];
    const headers = new Array<string>(this.#markCount / 2);
    for (let mark = 0; mark < this.#markCount; mark += MARKS) {
      const nameAt = marks[mark] as number;
      const nameEnd = marks[mark + 1] as number;
      headers[mark / 2] = commonName(bytes, base + nameAt, base + nameEnd) ?? head.slice(nameAt, nameEnd);
      headers[mark / 2 + 1] = head.slice(marks[mark + 2], marks[mark + 3]);
    }
    this.headers = headers;
    this.#markCount = 0;
    this.#startAt = 0;
    this.#scannedBytes = 0;
    this.#state = this.#firstState;
  }

  // Neither pushed nor taken away: the array keeps its room from head to head.
  #mark(position: number): void {
    this.#marks[this.#markCount++] = position;
  }

  #hold(chunk: Buffer, at: number): void {
    const more = Math.min(chunk.length - at, this.#limits.bytesMax - this.#heldBytes);
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
