import { ownText } from '#core/own-text.ts';
import { RecentMap } from '#core/recent-map.ts';
import type { TextKind } from './layout.ts';
import { type TextWords, textWords } from './text-words.ts';

/** Of one kind, in one generation of two: 200 kB in a worker at the very most. */
export const TEXTS_KNOWN_MAX = 128;

/** Unknown texts among which one that comes again is found. */
const UNKNOWN_LATELY = 4;

/**
 * Texts of one kind that requests have in common, as strings that stay: what they are looked up by is worked out once.
 * One becomes known when it comes again soon; in its words it is written with a fifth of the instructions. One that
 * comes once costs no more than the look-up.
 */
export class KnownTexts {
  readonly #kind: TextKind;
  readonly #known = new RecentMap<TextWords>(TEXTS_KNOWN_MAX);
  readonly #unknown = new Array<string>(UNKNOWN_LATELY).fill('');
  #next = 0;

  constructor(kind: TextKind) {
    this.#kind = kind;
  }

  find(text: string): TextWords | undefined {
    return this.#known.get(text) ?? this.#learn(text);
  }

  #learn(text: string): TextWords | undefined {
    const { code, bytesMax } = this.#kind;
    if (text.length > bytesMax) return undefined;
    if (this.#unknown.includes(text)) {
      const words = textWords(code, text, bytesMax);
      this.#known.set(text, words);
      return words;
    }
    this.#unknown[this.#next] = ownText(text);
    this.#next = (this.#next + 1) % UNKNOWN_LATELY;
    return undefined;
  }
}
