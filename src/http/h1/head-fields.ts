import { commonName } from './common-names.ts';
import { knownField } from './known-fields.ts';
import type { KnownLine, LinePlace, NamedLines } from './known-lines.ts';

/** What is noted of each string that is to be made: its place among the fields, and where its bytes are. */
const NOTES = 3;

/** Of a string that others are parts of. One that is longer by itself is part of none. */
const TEXT_BYTES_MAX = 1024;

/**
 * The fields of one head after the other, as strings: those of known lines are there already, and all others are parts
 * of a few others, made when the head is complete. Places are those of the field under way, counted from where the head
 * begins.
 */
export class HeadFields implements LinePlace {
  nameAt = 0;
  nameEnd = 0;
  valueAt = 0;
  valueEnd = 0;
  /** Whether it has the name that was expected in its place: this one. */
  common: NamedLines | null = null;

  #strings: string[] = [];
  /** Of the strings that are still to be made. Not kept for the next head: most connections are idle. */
  #notes: number[] | null = null;
  /** The known line that was taken last, and the first one of the last head. */
  #previous: KnownLine | null = null;
  #first: KnownLine | null = null;

  get count(): number {
    return this.#strings.length / 2;
  }

  /**
   * Takes the lines from `view[from]` on that are known and stand where they were expected, as far as there may be so
   * many fields. Returns where the others begin.
   */
  takeKnown(view: DataView, from: number, end: number, countMax: number): number {
    const strings = this.#strings;
    let at = from;
    let previous = this.#previous;
    let line = previous === null ? this.#first : previous.next;
    let same = 0;
    while (line !== null && strings.length < 2 * countMax) {
      same = line.sameBytes(view, at, end);
      if (same < line.bytes) break;
      strings.push(line.name, line.value);
      at += same;
      same = 0;
      previous = line;
      line = line.next;
    }
    this.#previous = previous;
    this.common = line !== null && same > line.name.length ? line.of : null;
    return at;
  }

  /** Takes the field under way, whose line ends before `bytes[base + end]`; of the view, the bytes are a part. */
  take(bytes: Buffer, view: DataView, base: number, end: number): void {
    const named = this.common ?? commonName(bytes, base + this.nameAt, base + this.nameEnd);
    const line = named?.find(view, bytes.byteOffset + base, end, this) ?? null;
    if (named === null) this.#note(this.nameAt, this.nameEnd);
    else this.#strings.push(named.name);
    if (line === null) this.#note(this.valueAt, this.valueEnd);
    else {
      this.#strings.push(line.value);
      this.#expectNext(line);
    }
  }

  /** All fields of the head that is complete; the next one begins. */
  complete(bytes: Buffer, base: number): string[] {
    const strings = this.#strings;
    if (this.#notes !== null) this.#makeStrings(this.#notes, bytes, base);
    this.#strings = [];
    this.#previous = null;
    return strings;
  }

  /** In the next head, in the same place. */
  #expectNext(line: KnownLine): void {
    if (this.#previous === null) this.#first = line;
    else this.#previous.next = line;
    this.#previous = line;
  }

  #note(from: number, to: number): void {
    this.#notes ??= [];
    this.#notes.push(this.#strings.length, from, to);
    this.#strings.push('');
  }

  /** Parts of a few strings, and not copies: of short ones, since whoever keeps a part keeps all of it. */
  #makeStrings(notes: readonly number[], bytes: Buffer, base: number): void {
    const last = notes.at(-1) as number;
    let text = '';
    let textAt = 0;
    let textEnd = 0;
    for (let note = 0; note < notes.length; note += NOTES) {
      const from = notes[note + 1] as number;
      const to = notes[note + 2] as number;
      if (to > textEnd) {
        textAt = from;
        textEnd = Math.max(to, Math.min(last, from + TEXT_BYTES_MAX));
        text = bytes.toString('latin1', base + textAt, base + textEnd);
      }
      this.#put(notes[note] as number, text.slice(from - textAt, to - textAt));
    }
    this.#notes = null;
  }

  /** Names stand before their values. */
  #put(place: number, text: string): void {
    this.#strings[place] = text;
    if (place % 2 === 1) knownField(this.#strings[place - 1] as string)?.wasRead(text);
  }
}
