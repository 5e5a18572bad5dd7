import { COMMON_SPELLINGS, isSecret } from '#core/header-names.ts';
import { TEXT } from './text.ts';

/** Of one name: values that are seldom the same compete with few others. */
const WAYS = 4;

/** Longer ones are looked through each time they are written. */
const VALUE_LENGTH_MAX = 256;

/**
 * A name that fields often have, and the values that were found to be text under it last. Most of a head's values were
 * in the heads before it, and to compare two strings costs a tenth of looking at each character of one. One thread
 * has one of each name.
 */
export class KnownField {
  /** How a line that follows another one begins with the name, which is a token. */
  readonly line: string;
  readonly #isSecret: boolean;
  readonly #texts: string[] = new Array(WAYS).fill('');

  constructor(name: string) {
    this.line = `\r\n${name}: `;
    this.#isSecret = isSecret(name);
  }

  /** Whether the value stays one when it is written. */
  takes(value: string): boolean {
    const { length } = value;
    if (length === 0) return true;
    const way = (length + value.charCodeAt(length - 1)) & (WAYS - 1);
    if (this.#texts[way] === value) return true;
    if (!TEXT.test(value)) return false;
    if (!this.#isSecret && length <= VALUE_LENGTH_MAX) this.#texts[way] = value;
    return true;
  }
}

const known = new Map(COMMON_SPELLINGS.map((name) => [name, new KnownField(name)]));

export function knownField(name: string): KnownField | undefined {
  return known.get(name);
}
