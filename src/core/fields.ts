import {
  type FieldName,
  fieldName,
  lengthOfName,
  lowerCased,
  lowerNameOf,
  type NameSet,
  UNNUMBERED,
} from './field-names.ts';
import { TEXT } from './field-text.ts';
import type { FlatHeaders } from './headers.ts';
import { wholeText } from './own-text.ts';

/** Of each field: the number of its name, and where the line break before it stands. */
export const MARKS = 2;

const CONTENT_LENGTH = fieldName('content-length').number;

/** Before a name, and between it and its value. */
export const BREAK = '\r\n';
export const SEPARATOR = ': ';

// For V8 to fold: see docs/decisions/046-own-constants.md.
const WIDTH = MARKS;
const NO_NUMBER = UNNUMBERED;
const BREAK_LENGTH = BREAK.length;
const SEPARATOR_LENGTH = SEPARATOR.length;

/**
 * The fields of one head (RFC 9110 §5) as one text, the way they are written, and where in it each of them stands. Off
 * the wire they come like this, and most of them go on like this: what passes is copied in a few long parts, and no
 * string is made of what nobody asks for. Order, duplicates and case are kept. What is cut out of the text keeps all of
 * it: whoever keeps a value for longer than the request makes a copy.
 */
export class Fields {
  /** A line each, which begins with the break after the one before it: CRLF, `Name: value`. One character a byte. */
  text: string;
  /** False once something was to be added that is no field: then none of them may be sent. */
  isSound = true;
  /** The last Content-Length that was added: to cut it out of a text that grows takes long. */
  declaredLength: string | null = null;
  #length: number;
  readonly #marks: number[];

  /** `marks` are those of `text`, in twos: see MARKS. */
  constructor(text = '', marks: number[] = []) {
    this.text = text;
    this.#length = text.length;
    this.#marks = marks;
  }

  /** Of name, value, name, value … */
  static of(list: FlatHeaders): Fields {
    const fields = new Fields();
    fields.addAll(list);
    return fields;
  }

  get count(): number {
    return this.#marks.length / WIDTH;
  }

  // -- what is there -------------------------------------------------------------------------------------

  /** Of the name: see FieldName. */
  numberAt(index: number): number {
    return this.#marks[index * WIDTH] as number;
  }

  nameAt(index: number): string {
    return this.text.slice(this.#nameAt(index), this.#nameEnd(index));
  }

  lowerNameAt(index: number): string {
    const number = this.numberAt(index);
    return number === NO_NUMBER ? lowerCased(this.nameAt(index)) : lowerNameOf(number);
  }

  valueAt(index: number): string {
    return this.text.slice(this.#nameEnd(index) + SEPARATOR_LENGTH, this.#lineEnd(index));
  }

  /** Where the next field of this name is from `from` on, or -1. */
  find(name: FieldName, from = 0): number {
    const { count } = this;
    for (let at = from; at < count; at++) if (this.#isNamed(at, name)) return at;
    return -1;
  }

  has(name: FieldName): boolean {
    return this.find(name) !== -1;
  }

  /** The first value under this name, or null. */
  value(name: FieldName): string | null {
    const at = this.find(name);
    return at === -1 ? null : this.valueAt(at);
  }

  /** All values under this name in order, joined as one list (RFC 9110 §5.3), or null. */
  list(name: FieldName): string | null {
    let at = this.find(name);
    if (at === -1) return null;
    let list = this.valueAt(at);
    for (at = this.find(name, at + 1); at !== -1; at = this.find(name, at + 1))
      list += `, ${this.valueAt(at)}`;
    return list;
  }

  /** Name, value, name, value … */
  flat(): string[] {
    const list: string[] = [];
    for (let at = 0; at < this.count; at++) list.push(this.nameAt(at), this.valueAt(at));
    return list;
  }

  // -- what is added -------------------------------------------------------------------------------------

  add(name: FieldName, value: string): void {
    if (TEXT.test(value)) this.addText(name, value);
    else this.isSound = false;
  }

  /** A value that is known to be text, as what was read is: nothing in it could end its line. */
  addText({ number, start }: FieldName, value: string): void {
    this.#marks.push(number, this.#length);
    const text = this.text + start + value;
    this.text = text;
    this.#length = text.length;
    if (number === CONTENT_LENGTH) this.declaredLength = value;
  }

  /** Name, value, name, value … */
  addAll(list: FlatHeaders): void {
    for (let at = 0; at + 1 < list.length; at += 2) {
      const name = fieldName(list[at] as string);
      if (!name.isToken) this.isSound = false;
      else this.add(name, list[at + 1] as string);
    }
  }

  /** Adds those that are not withheld, and not named by `isNamed`, which is asked of lower case. */
  pass(received: Fields, withheld: NameSet, isNamed: ((lowerName: string) => boolean) | null): void {
    const { count } = received;
    let from = 0;
    for (let at = 0; at < count; at++) {
      const number = received.numberAt(at);
      const isWithheld =
        number === NO_NUMBER ? withheld.has(received.lowerNameAt(at)) : withheld.hasNumber(number);
      if (!isWithheld && (isNamed === null || !isNamed(received.lowerNameAt(at)))) continue;
      this.#copy(received, from, at);
      from = at + 1;
    }
    this.#copy(received, from, count);
  }

  /** For what is added to many others: a text that was put together is put together again with each of them. */
  settle(): this {
    this.text = wholeText(this.text);
    return this;
  }

  /** Adds all of another head's. */
  append(other: Fields): void {
    this.#copy(other, 0, other.count);
  }

  #copy(other: Fields, from: number, to: number): void {
    if (!other.isSound) this.isSound = false;
    if (from === to) return;
    const start = other.#lineAt(from);
    const end = other.#lineEnd(to - 1);
    const shift = this.#length - start;
    const marks = other.#marks;
    for (let at = from * WIDTH; at < to * WIDTH; at += WIDTH) {
      const number = marks[at] as number;
      this.#marks.push(number, (marks[at + 1] as number) + shift);
      if (number === CONTENT_LENGTH) this.declaredLength = other.valueAt(at / WIDTH);
    }
    this.text += other.text.slice(start, end);
    this.#length += end - start;
  }

  #isNamed(index: number, name: FieldName): boolean {
    const number = this.numberAt(index);
    if (number !== NO_NUMBER && name.number !== NO_NUMBER) return number === name.number;
    // A name may have got its number since one of them was made.
    const length = this.#nameEnd(index) - this.#nameAt(index);
    return length === name.length && this.lowerNameAt(index) === name.lower;
  }

  #lineAt(index: number): number {
    return this.#marks[index * WIDTH + 1] as number;
  }

  #nameAt(index: number): number {
    return this.#lineAt(index) + BREAK_LENGTH;
  }

  #nameEnd(index: number): number {
    const nameAt = this.#nameAt(index);
    const number = this.numberAt(index);
    return number === NO_NUMBER ? this.text.indexOf(SEPARATOR, nameAt) : nameAt + lengthOfName(number);
  }

  #lineEnd(index: number): number {
    return index + 1 < this.count ? this.#lineAt(index + 1) : this.#length;
  }
}
