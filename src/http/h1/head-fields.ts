import { numberOf } from '#core/field-names.ts';
import { BREAK, Fields, MARKS, SEPARATOR } from '#core/fields.ts';
import { SP } from './bytes.ts';
import { commonName } from './common-names.ts';
import type { KnownLine, NamedLines } from './known-lines.ts';

/**
 * The fields of one head after the other. Their text is that of the wire, cut out of it once the head is complete, but
 * for lines that are spaced in another way than ours: those are written anew. Places are those of the field under way,
 * counted from where the head begins.
 */
export class HeadFields {
  nameAt = 0;
  nameEnd = 0;
  valueAt = 0;
  valueEnd = 0;
  /** Whether it has the name that was expected in its place: this one. */
  common: NamedLines | null = null;

  #marks: number[] = [];
  /** What had to be written anew, with all before it, and where the lines begin that come after that. */
  #text = '';
  #restAt = 0;
  /** The known line that was taken last, or whose start was; and the first one of the last head. */
  #previous: KnownLine | null = null;
  #first: KnownLine | null = null;

  get count(): number {
    return this.#marks.length / MARKS;
  }

  /** The first line is at this place. Only what has no start line has no break before it. */
  begin(at: number): void {
    if (this.#marks.length > 0) return;
    this.#text = at === 0 ? BREAK : '';
    this.#restAt = at === 0 ? 0 : at - BREAK.length;
  }

  /**
   * Takes the lines from `view[base + from]` on that are known and stand where they were expected, as far as there may
   * be so many fields. Returns where the others begin.
   */
  takeKnown(view: DataView, base: number, from: number, end: number, countMax: number): number {
    const marks = this.#marks;
    const shift = this.#text.length - this.#restAt - BREAK.length;
    let at = from;
    let previous = this.#previous;
    let line = previous === null ? this.#first : previous.next;
    let same = 0;
    while (line !== null && marks.length < MARKS * countMax) {
      same = line.sameBytes(view, base + at, base + end);
      if (same < line.bytes || !line.isWhole) break;
      marks.push(line.name.number, at + shift);
      at += same;
      same = 0;
      previous = line;
      line = line.next;
    }
    this.#previous = previous;
    this.common = line !== null && same > line.name.length ? line.of : null;
    return at;
  }

  /** Takes the field under way, whose line ends before `bytes[base + end]`. The view is of the bytes. */
  take(bytes: Buffer, view: DataView, base: number, end: number): void {
    const { nameAt, nameEnd, valueAt, valueEnd } = this;
    const named = this.common ?? commonName(bytes, view, base + nameAt, base + nameEnd);
    const number = named?.name.number ?? numberOf(bytes.toString('latin1', base + nameAt, base + nameEnd));
    const isSpaced = valueAt === nameEnd + SEPARATOR.length && bytes[base + valueAt - 1] === SP;
    if (!isSpaced || valueEnd !== end - BREAK.length) {
      this.#rewrite(bytes, base, end, number);
      return;
    }
    this.#marks.push(number, nameAt - BREAK.length + this.#text.length - this.#restAt);
    const line = named === null ? null : (named.start ?? named.find(view, base, end, nameAt));
    if (line !== null) this.#expectNext(line);
  }

  /** As we would have written it. */
  #rewrite(bytes: Buffer, base: number, end: number, number: number): void {
    const breakAt = this.nameAt - BREAK.length;
    // Without a start line there is none before the first one.
    const before =
      breakAt < this.#restAt
        ? ''
        : this.#text + bytes.toString('latin1', base + this.#restAt, base + breakAt);
    const name = bytes.toString('latin1', base + this.nameAt, base + this.nameEnd);
    const value = bytes.toString('latin1', base + this.valueAt, base + this.valueEnd);
    this.#marks.push(number, before.length);
    this.#text = `${before}${BREAK}${name}${SEPARATOR}${value}`;
    this.#restAt = end - BREAK.length;
  }

  /** All fields of the head, whose last line ends before `bytes[base + end]`; the next one begins. */
  complete(bytes: Buffer, base: number, end: number): Fields {
    const rest = bytes.toString('latin1', base + this.#restAt, base + end - BREAK.length);
    const fields = this.#marks.length === 0 ? new Fields() : new Fields(this.#text + rest, this.#marks);
    this.#marks = [];
    this.#text = '';
    this.#previous = null;
    return fields;
  }

  /** In the next head, in the same place. */
  #expectNext(line: KnownLine): void {
    if (this.#previous === null) this.#first = line;
    else this.#previous.next = line;
    this.#previous = line;
  }
}
