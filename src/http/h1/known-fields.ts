import { COMMON_SPELLINGS, isFamiliar, isSecret } from '#core/header-names.ts';
import { TEXT } from './text.ts';

/** Of one name. */
const VALUES_MAX = 4;

/** Longer ones are looked through each time they are written. */
const VALUE_LENGTH_MAX = 256;

/** Of a value that was read: longer ones stay no longer than their head does, which may be of any size. */
const READ_LENGTH_MAX = 4096;

/** Another value for each request: to keep them would be in vain. */
const NEVER_THE_SAME: ReadonlySet<string> = new Set(['traceparent', 'x-request-id']);

/**
 * A name that fields often have, and the values that were found to be text under it last. Most of a head's values were
 * in the heads before it, or were read just now, and to compare two strings costs a tenth of looking at each
 * character of one. Nothing else is written but what the expression takes: whatever could end a line, it does not.
 * One thread has one of each name.
 */
export class KnownField {
  /** How a line that follows another one begins with the name, which is a token. */
  readonly #start: string;
  readonly #isKept: boolean;
  /** Value, line, value, line …: a line is made when its value comes again, and empty until then. */
  readonly #known: string[];
  #next = 0;
  /** The value that was read last: every byte of it was looked at. */
  #read = '';

  /** `isKept` says whether values may be kept under the name for longer than until the next one is read. */
  constructor(name: string, isKept: boolean) {
    this.#start = `\r\n${name}: `;
    this.#isKept = isKept;
    this.#known = isKept ? noValues() : NONE;
  }

  /** The line, the break before it included; null where the value would not stay one. */
  line(value: string): string | null {
    const known = this.#known;
    // All of them are as long: to ask arrays that were made in different ways for their length costs more than the rest.
    for (let at = 0; this.#isKept && at < 2 * VALUES_MAX; at += 2) {
      if (known[at] === value) return known[at + 1] || this.#make(at, value);
    }
    if (value === this.#read) return this.#start + value;
    if (!TEXT.test(value)) return null;
    if (this.#isKept && value.length <= VALUE_LENGTH_MAX) this.#keep(value);
    return this.#start + value;
  }

  /** `value` was found to be text byte by byte, in a head that was read just now. Known until the next one is, if not long. */
  wasRead(value: string): void {
    this.#read = value.length <= READ_LENGTH_MAX ? value : '';
  }

  #keep(value: string): void {
    this.#known[this.#next] = value;
    this.#known[this.#next + 1] = '';
    this.#next = (this.#next + 2) % (2 * VALUES_MAX);
  }

  /** As one string in itself: what `+` makes is put together each time that it is written. */
  #make(at: number, value: string): string {
    const line = Buffer.from(this.#start + value, 'latin1').toString('latin1');
    this.#known[at + 1] = line;
    return line;
  }
}

const NONE = noValues();

function noValues(): string[] {
  return new Array(2 * VALUES_MAX).fill('');
}

const known = new Map(COMMON_SPELLINGS.map((name) => [name, new KnownField(name, mayKeep(name))]));

function mayKeep(name: string): boolean {
  return !isSecret(name) && !NEVER_THE_SAME.has(name.toLowerCase());
}

/** Of a name that is familiar. A value under one that was learned may be secret. */
export function knownField(name: string): KnownField | null {
  return known.get(name) ?? (isFamiliar(name) ? learned(name) : null);
}

function learned(name: string): KnownField {
  const field = new KnownField(name, false);
  known.set(name, field);
  return field;
}
