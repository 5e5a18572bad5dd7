import { wholeText } from '#core/own-text.ts';
import type { TextKind } from './layout.ts';
import { type TextWords, textWords } from './text-words.ts';

/** Texts of one kind that are known at once, with their words 500 bytes each at most; a power of two. */
const WAYS = 128;

/** Of so many texts that are unknown one is learned, so that what comes once takes little time and what is known stays. */
export const LEARNED_OF = 8;

/**
 * Texts of one kind that requests have in common. Mostly one is another string each time, as what is cut out of a head
 * is: slow to look up or write (1200 instructions), and soon compared with the one that is likely the same (350). What is
 * the same string is known at once. In its words a text is written with a fifth of the instructions.
 */
export class RecentTexts {
  readonly kind: TextKind;
  readonly #texts = new Array<string>(WAYS).fill('');
  readonly #words: (TextWords | undefined)[] = new Array<TextWords | undefined>(WAYS).fill(undefined);
  #unknown = 0;

  constructor(kind: TextKind) {
    this.kind = kind;
  }

  find(text: string): TextWords | undefined {
    const { length } = text;
    if (length === 0 || length > this.kind.bytesMax) return undefined;
    const way = (length + text.charCodeAt(length - 1) + 10 * text.charCodeAt(length >> 1)) % WAYS;
    return this.#texts[way] === text ? this.#words[way] : this.#learn(way, text);
  }

  #learn(way: number, text: string): TextWords | undefined {
    this.#unknown = (this.#unknown + 1) % LEARNED_OF;
    if (this.#unknown !== 0) return undefined;
    const { code, bytesMax } = this.kind;
    const words = textWords(code, text, bytesMax);
    this.#texts[way] = wholeText(text);
    this.#words[way] = words;
    return words;
  }
}
