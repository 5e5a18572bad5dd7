import { wholeText } from './own-text.ts';

/** Texts that are seldom the same compete with few others. */
const WAYS = 4;

/** Longer ones are looked through each time. */
const LENGTH_MAX = 256;

/** Of so many texts that are not known one is learned, so that what comes once takes little time. */
const LEARNED_OF = 8;

/**
 * An expression, and some texts that were found to match it lately: most texts of a kind come again and again, and to
 * compare two of them costs a tenth of looking at each character of one.
 */
export class RecentMatches {
  readonly #expression: RegExp;
  readonly #matches: (string | null)[] = new Array(WAYS).fill(null);
  #unknown = 0;

  /** `expression` is one that keeps nothing from test to test: neither global nor sticky. */
  constructor(expression: RegExp) {
    this.#expression = expression;
  }

  /** The text if it matches, as the one string of its kind (see wholeText) where it is known; else null. */
  find(text: string): string | null {
    const { length } = text;
    if (length === 0 || length > LENGTH_MAX) return this.#expression.test(text) ? text : null;
    const way = (length + text.charCodeAt(length - 1)) % WAYS;
    const known = this.#matches[way] ?? null;
    if (known === text) return known;
    return this.#expression.test(text) ? this.#learn(way, text) : null;
  }

  #learn(way: number, text: string): string {
    this.#unknown = (this.#unknown + 1) % LEARNED_OF;
    if (this.#unknown !== 0) return text;
    const learned = wholeText(text);
    this.#matches[way] = learned;
    return learned;
  }
}
