import { wholeText } from '#core/own-text.ts';
import type { TextKind } from './layout.ts';
import { type TextWords, textWords } from './text-words.ts';

/** Texts that are known at once. */
const WAYS = 16;

/** Of so many texts that are unknown one is learned, so that what comes once takes little time and what is known stays. */
export const LEARNED_OF = 8;

/**
 * Texts of one kind that requests have in common, each time another string, as what is cut out of a head is. Such a
 * string is slow to look up or write (1200 instructions), and soon compared with the one that is likely the same (350).
 */
export class RecentTexts {
  readonly #kind: TextKind;
  readonly #texts = new Array<string>(WAYS).fill('');
  readonly #words: (TextWords | undefined)[] = new Array<TextWords | undefined>(WAYS).fill(undefined);
  #unknown = 0;

  constructor(kind: TextKind) {
    this.#kind = kind;
  }

  find(text: string): TextWords | undefined {
    const { length } = text;
    if (length === 0 || length > this.#kind.bytesMax) return undefined;
    const way = (length + text.charCodeAt(length - 1)) % WAYS;
    return this.#texts[way] === text ? this.#words[way] : this.#learn(way, text);
  }

  #learn(way: number, text: string): TextWords | undefined {
    this.#unknown = (this.#unknown + 1) % LEARNED_OF;
    if (this.#unknown !== 0) return undefined;
    const { code, bytesMax } = this.#kind;
    const words = textWords(code, text, bytesMax);
    this.#texts[way] = wholeText(text);
    this.#words[way] = words;
    return words;
  }
}
