import { TOKEN } from './field-text.ts';
import { COMMON_SPELLINGS } from './header-names.ts';
import { interned } from './own-text.ts';

/** Spellings beyond the common ones, for the life of the thread. */
export const LEARNED_MAX = 256;

/** Of a spelling that is learned, characters. */
export const LEARNED_LENGTH_MAX = 64;

/** The number of a name that has none. */
export const UNNUMBERED = 0;

/** Lower case, by their numbers: never taken back, and never another one's. */
const numbered: string[] = [''];
const lengths: number[] = [0];
const numbers = new Map<string, number>();

/** A field's name as somebody spells it. Of a spelling that is familiar there is one in each thread. */
export class FieldName {
  readonly spelling: string;
  /** Lower case. */
  readonly lower: string;
  /** The same for all spellings of a name that is familiar in one of them; else UNNUMBERED. */
  readonly number: number;
  readonly length: number;
  /** Whether it is a name at all. */
  readonly isToken: boolean;
  /** How its lines begin: the break before it, and all that stands before the value. */
  readonly start: string;

  constructor(spelling: string, number: number, start = startOf(spelling)) {
    this.spelling = spelling;
    this.lower = spelling.toLowerCase();
    this.number = number;
    this.length = spelling.length;
    this.isToken = TOKEN.test(spelling);
    this.start = start;
  }
}

function startOf(spelling: string): string {
  return `\r\n${spelling}: `;
}

const familiar = new Map<string, FieldName>();

for (const spelling of COMMON_SPELLINGS) makeFamiliar(spelling);

function makeFamiliar(spelling: string): FieldName {
  const number = numberFor(spelling.toLowerCase());
  const name = new FieldName(spelling, number, interned(startOf(spelling)));
  familiar.set(spelling, name);
  return name;
}

function numberFor(lower: string): number {
  const known = numbers.get(lower);
  if (known !== undefined) return known;
  const number = numbered.push(lower) - 1;
  lengths.push(lower.length);
  numbers.set(lower, number);
  return number;
}

/** Of numbers, UNNUMBERED included. */
const NUMBERS_MAX = COMMON_SPELLINGS.length + LEARNED_MAX + 1;

/** The name that is spelled like this. */
export function fieldName(spelling: string): FieldName {
  const known = familiar.get(spelling);
  if (known !== undefined) return known;
  return new FieldName(spelling, numbers.get(spelling.toLowerCase()) ?? UNNUMBERED);
}

/** Makes a spelling, which is a token, as familiar as the common ones. Null where it is too long, or one too many. */
export function learnName(spelling: string): FieldName | null {
  const known = familiar.get(spelling);
  if (known !== undefined) return known;
  const isFull = familiar.size === COMMON_SPELLINGS.length + LEARNED_MAX;
  if (isFull || spelling.length > LEARNED_LENGTH_MAX) return null;
  return makeFamiliar(spelling);
}

/** Of the name that is spelled like this; UNNUMBERED where no spelling of it is familiar. */
export function numberOf(spelling: string): number {
  return familiar.get(spelling)?.number ?? numbers.get(spelling.toLowerCase()) ?? UNNUMBERED;
}

/** One of a configuration, for as long as that is there; null where it is turned off. */
export function ownName(spelling: string | null): FieldName | null {
  return spelling === null ? null : (learnName(spelling) ?? fieldName(spelling));
}

/** Of a name that has a number, characters. */
export function lengthOfName(number: number): number {
  return lengths[number] as number;
}

/** Of a name that has a number. */
export function lowerNameOf(number: number): string {
  return numbered[number] as string;
}

export function lowerCased(name: string): string {
  return familiar.get(name)?.lower ?? name.toLowerCase();
}

const UNKNOWN = 0;
const IS_IN = 1;
const IS_NOT_IN = 2;

/** Names of headers, whatever their case. What it says of those that have a number it finds out once. */
export class NameSet {
  readonly #has: (lowerName: string) => boolean;
  readonly #known = new Uint8Array(NUMBERS_MAX);

  constructor(has: (lowerName: string) => boolean) {
    this.#has = has;
  }

  has(lowerName: string): boolean {
    return this.#has(lowerName);
  }

  /** Of a name that has a number. */
  hasNumber(number: number): boolean {
    const known = this.#known[number];
    return known === UNKNOWN ? this.#findOut(number) : known === IS_IN;
  }

  #findOut(number: number): boolean {
    const has = this.#has(lowerNameOf(number));
    this.#known[number] = has ? IS_IN : IS_NOT_IN;
    return has;
  }
}
