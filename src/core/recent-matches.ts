import { ownText } from './own-text.ts';

/** Texts that are seldom the same compete with few others. */
const WAYS = 4;

/** Longer ones are looked through each time. */
const LENGTH_MAX = 256;

/**
 * An expression, and the last texts that were found to match it: most texts of a kind come again and again, and to
 * compare two of them costs a tenth of looking at each character of one.
 */
export class RecentMatches {
  readonly #expression: RegExp;
  readonly #matches: (string | null)[] = new Array(WAYS).fill(null);

  /** `expression` is one that keeps nothing from test to test: neither global nor sticky. */
  constructor(expression: RegExp) {
    this.#expression = expression;
  }

  test(text: string): boolean {
    const { length } = text;
    if (length === 0 || length > LENGTH_MAX) return this.#expression.test(text);
    const way = (length + text.charCodeAt(length - 1)) % WAYS;
    if (this.#matches[way] === text) return true;
    if (!this.#expression.test(text)) return false;
    this.#matches[way] = ownText(text);
    return true;
  }
}
