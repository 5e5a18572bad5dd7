import {
  type FieldName,
  fieldName,
  lengthOfName,
  lowerCased,
  lowerNameOf,
  NameSet,
  numberOf,
  UNNUMBERED,
} from './field-names.ts';
import { TEXT } from './field-text.ts';
import type { FlatHeaders } from './headers.ts';
import { interned } from './own-text.ts';

/** Of each field: the number of its name, and where the line break before it stands. */
export const MARKS = 2;

const CONTENT_LENGTH = fieldName('content-length').number;
const DATE = fieldName('date').number;

const CONTROL_NAMES: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

/** What says how long a message is, and what becomes of its connection. All of them have numbers, in any spelling. */
export const CONTROLS = new NameSet((lowerName) => CONTROL_NAMES.has(lowerName));

/** What is noted of each field while a head is put together, for whoever sends it. */
const NOTED = new NameSet((lowerName) => lowerName === 'date' || CONTROL_NAMES.has(lowerName));

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
 * string is made of what nobody asks for. Where the fields stand in a text that was put together is found out when
 * somebody asks for one, and hardly anybody does. Order, duplicates and case are kept. What is cut out of the text keeps
 * all of it: whoever keeps a value for longer than the request makes a copy.
 */
export class Fields {
  /** A line each, which begins with the break after the one before it: CRLF, `Name: value`. One character a byte. */
  text: string;
  /** False once something was to be added that is no field: then none of them may be sent. */
  isSound = true;
  /** Of what was added: what the last Content-Length says, or null. */
  declaredLength: string | null = null;
  /** Of what was added. */
  hasDate = false;
  /** Whether nothing but one length was added that CONTROLS has. Of what was read that is not known, so it is false. */
  isPlain: boolean;
  readonly #isRead: boolean;
  /** See MARKS. Null as long as nobody has asked. */
  #marks: number[] | null;

  /** `marks` are those of a text that was read, in twos: see MARKS. */
  constructor(text = '', marks: number[] | null = null) {
    this.text = text;
    this.#marks = marks;
    this.#isRead = marks !== null;
    this.isPlain = !this.#isRead;
  }

  /** Of name, value, name, value … */
  static of(list: FlatHeaders): Fields {
    const fields = new Fields();
    fields.addAll(list);
    return fields;
  }

  /** Whether it is known where each field stands, and kept so while others are added. */
  get isIndexed(): boolean {
    return this.#marks !== null;
  }

  /** Best while it is empty, or nearly so: to find out afterwards takes 1000 instructions a field. */
  keepIndex(): void {
    this.#index();
  }

  get count(): number {
    return this.#index().length / WIDTH;
  }

  // -- what is there -------------------------------------------------------------------------------------

  /** Of the name: see FieldName. */
  numberAt(index: number): number {
    return this.#index()[index * WIDTH] as number;
  }

  nameAt(index: number): string {
    return this.text.slice(nameAt(this.#index(), index), nameEnd(this.text, this.#index(), index));
  }

  lowerNameAt(index: number): string {
    const number = this.numberAt(index);
    return number === NO_NUMBER ? lowerCased(this.nameAt(index)) : lowerNameOf(number);
  }

  valueAt(index: number): string {
    const { text } = this;
    const marks = this.#index();
    return text.slice(nameEnd(text, marks, index) + SEPARATOR_LENGTH, lineEnd(text, marks, index));
  }

  /** Where the next field of this name is from `from` on, or -1. */
  find(name: FieldName, from = 0): number {
    const marks = this.#index();
    for (let at = from; at * WIDTH < marks.length; at++) {
      const number = marks[at * WIDTH] as number;
      const isNumbered = number !== NO_NUMBER && name.number !== NO_NUMBER;
      if (isNumbered ? number === name.number : this.#isSpelled(at, name)) return at;
    }
    return -1;
  }

  /** Where the next field is from `from` on that has a number and is one of them, or -1. */
  findOf(names: NameSet, from = 0): number {
    const marks = this.#index();
    for (let at = from; at * WIDTH < marks.length; at++)
      if (names.hasNumber(marks[at * WIDTH] as number)) return at;
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
    for (const line of this.text.split(BREAK).slice(1)) {
      const nameEnd = line.indexOf(SEPARATOR);
      list.push(line.slice(0, nameEnd), line.slice(nameEnd + SEPARATOR_LENGTH));
    }
    return list;
  }

  // -- what is added -------------------------------------------------------------------------------------

  add(name: FieldName, value: string): void {
    if (TEXT.test(value)) this.addText(name, value);
    else this.isSound = false;
  }

  /** A value that is known to be text, as what was read is: nothing in it could end its line. */
  addText({ number, start }: FieldName, value: string): void {
    this.#marks?.push(number, this.text.length);
    this.text += start + value;
    if (NOTED.hasNumber(number)) this.#note(number, value);
  }

  /** Lines that are known to be sound, of these names, none of them of CONTROLS: in one piece, made of few. */
  addLines(names: readonly FieldName[], lines: string): void {
    if (this.#marks !== null) {
      let at = 0;
      for (const { number } of names) {
        this.#marks.push(number, this.text.length + at);
        at = lines.indexOf(BREAK, at + BREAK_LENGTH);
      }
    }
    this.text += lines;
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
    const marks = received.#index();
    const count = marks.length / WIDTH;
    let from = 0;
    for (let at = 0; at < count; at++) {
      const number = marks[at * WIDTH] as number;
      const isWithheld =
        number === NO_NUMBER ? withheld.has(received.lowerNameAt(at)) : withheld.hasNumber(number);
      if (!isWithheld && (isNamed === null || !isNamed(received.lowerNameAt(at)))) continue;
      this.#copy(received, from, at);
      from = at + 1;
    }
    this.#copy(received, from, count);
    if (!received.isSound) this.isSound = false;
  }

  /** For what is added to many others: a text that was put together is put together again with each of them. */
  settle(): this {
    this.text = interned(this.text);
    return this;
  }

  /** Adds all of another head's. */
  append(other: Fields): void {
    if (!other.isSound) this.isSound = false;
    if (other.#isRead) {
      this.#copy(other, 0, other.count);
      return;
    }
    this.#mark(other, 0, Infinity);
    this.text += other.text;
    if (other.declaredLength !== null) this.#note(CONTENT_LENGTH, other.declaredLength);
    if (other.hasDate) this.hasDate = true;
    if (!other.isPlain) this.isPlain = false;
  }

  #copy(other: Fields, from: number, to: number): void {
    if (from === to) return;
    this.#mark(other, from, to);
    const { text } = other;
    const marks = other.#index();
    this.text += text.slice(lineAt(marks, from), lineEnd(text, marks, to - 1));
    for (let at = from; at < to; at++) {
      const number = marks[at * WIDTH] as number;
      if (NOTED.hasNumber(number)) this.#note(number, number === CONTENT_LENGTH ? other.valueAt(at) : '');
    }
  }

  /** Of what is about to be added. */
  #mark(other: Fields, from: number, to: number): void {
    if (this.#marks === null) return;
    const marks = other.#index();
    const shift = this.text.length - lineAt(marks, from);
    const end = Math.min(to * WIDTH, marks.length);
    for (let at = from * WIDTH; at < end; at += WIDTH)
      this.#marks.push(marks[at] as number, (marks[at + 1] as number) + shift);
  }

  #note(number: number, value: string): void {
    if (number === DATE) this.hasDate = true;
    else if (number !== CONTENT_LENGTH) this.isPlain = false;
    else {
      if (this.declaredLength !== null) this.isPlain = false;
      this.declaredLength = value;
    }
  }

  #index(): number[] {
    this.#marks ??= marksOf(this.text);
    return this.#marks;
  }

  /** A name may have got its number since one of them was made. */
  #isSpelled(index: number, name: FieldName): boolean {
    const marks = this.#index();
    const length = nameEnd(this.text, marks, index) - nameAt(marks, index);
    return length === name.length && this.lowerNameAt(index) === name.lower;
  }
}

// -- where the parts of a line are ------------------------------------------------------------------------

function lineAt(marks: readonly number[], index: number): number {
  return marks[index * WIDTH + 1] as number;
}

function nameAt(marks: readonly number[], index: number): number {
  return lineAt(marks, index) + BREAK_LENGTH;
}

function nameEnd(text: string, marks: readonly number[], index: number): number {
  const from = nameAt(marks, index);
  const number = marks[index * WIDTH] as number;
  return number === NO_NUMBER ? text.indexOf(SEPARATOR, from) : from + lengthOfName(number);
}

function lineEnd(text: string, marks: readonly number[], index: number): number {
  return (index + 1) * WIDTH < marks.length ? lineAt(marks, index + 1) : text.length;
}

/** Of lines that are sound: nothing else in them looks like a break. */
function marksOf(text: string): number[] {
  const marks: number[] = [];
  for (let at = 0; at < text.length; ) {
    const nameAt = at + BREAK_LENGTH;
    const nameEnd = text.indexOf(SEPARATOR, nameAt);
    marks.push(numberOf(text.slice(nameAt, nameEnd)), at);
    const next = text.indexOf(BREAK, nameEnd);
    at = next === -1 ? text.length : next;
  }
  return marks;
}
