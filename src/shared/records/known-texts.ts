import { ownText } from '#core/own-text.ts';
import { RecentMap } from '#core/recent-map.ts';
import { LEARNED_OF } from '#core/recent-texts.ts';
import type { TextKind } from './layout.ts';
import { type TextWords, textWords } from './text-words.ts';

/** Of one kind, in one generation of two: 220 kB in a worker at the very most. */
export const TEXTS_KNOWN_MAX = 128;

/**
 * Texts of one kind that requests have in common, as strings that stay: what they are looked up by is worked out once.
 * In its words a text is written with a fifth of the instructions. As in `RecentTexts`, few of the unknown are learned.
 */
export class KnownTexts {
  readonly #kind: TextKind;
  readonly #known = new RecentMap<TextWords>(TEXTS_KNOWN_MAX);
  #unknown = 0;

  constructor(kind: TextKind) {
    this.#kind = kind;
  }

  find(text: string): TextWords | undefined {
    return this.#known.get(text) ?? this.#learn(text);
  }

  #learn(text: string): TextWords | undefined {
    this.#unknown = (this.#unknown + 1) % LEARNED_OF;
    const { code, bytesMax } = this.#kind;
    if (this.#unknown !== 0 || text.length > bytesMax) return undefined;
    const words = textWords(code, text, bytesMax);
    this.#known.set(ownText(text), words);
    return words;
  }
}
