import { COMMON_SPELLINGS, isSecret } from '#core/header-names.ts';
import { TEXT } from './text.ts';

/** Of one name: values that are seldom the same compete with few others. */
const WAYS = 4;

/** Longer ones are looked through each time they are written. */
const VALUE_LENGTH_MAX = 256;

/** Another value for each request: to keep them would be in vain. */
const NEVER_THE_SAME: ReadonlySet<string> = new Set(['traceparent', 'x-request-id']);

/**
 * A name that fields often have, and the values that were found to be text under it last. Most of a head's values were
 * in the heads before it, and to compare two strings costs a tenth of looking at each character of one. One thread
 * has one of each name.
 */
export class KnownField {
  /** How a line that follows another one begins with the name, which is a token. */
  readonly #start: string;
  readonly #isKept: boolean;
  readonly #values: string[] = new Array(WAYS).fill('');
  /** The lines with these values, made when one comes again; empty until then. */
  readonly #lines: string[] = new Array(WAYS).fill('');

  constructor(name: string) {
    this.#start = `\r\n${name}: `;
    this.#isKept = !isSecret(name) && !NEVER_THE_SAME.has(name.toLowerCase());
  }

  /** The line, the break before it included; null where the value would not stay one. */
  line(value: string): string | null {
    const { length } = value;
    if (!this.#isKept || length === 0 || length > VALUE_LENGTH_MAX)
      return TEXT.test(value) ? this.#start + value : null;
    const way = (length + value.charCodeAt(length - 1)) % WAYS;
    if (this.#values[way] === value) return this.#lines[way] || this.#keep(way, value);
    if (!TEXT.test(value)) return null;
    this.#values[way] = value;
    this.#lines[way] = '';
    return this.#start + value;
  }

  /** As one string in itself: what `+` makes is put together each time that it is written. */
  #keep(way: number, value: string): string {
    const line = Buffer.from(this.#start + value, 'latin1').toString('latin1');
    this.#lines[way] = line;
    return line;
  }
}

const known = new Map(COMMON_SPELLINGS.map((name) => [name, new KnownField(name)]));

export function knownField(name: string): KnownField | undefined {
  return known.get(name);
}
