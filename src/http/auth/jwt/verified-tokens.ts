import { ownText } from '#core/own-text.ts';

/** Tokens of one generation; two are kept. With the length below, at most 8 MiB in a worker. */
export const TOKENS_REMEMBERED_MAX = 4096;
/** Characters of the tokens of one generation, one byte each. */
export const TOKEN_CHARACTERS_MAX = 4 * 1024 * 1024;

/**
 * Characters at a token's end by which it is looked up, the most random part of its signature: to hash them takes a
 * fifth of what the whole token takes. Then all of it is compared, which nobody learns from who does not know these.
 */
const END_LENGTH = 24;

type Remembered<Facts> = { readonly token: string; readonly facts: Facts };

/**
 * What verified tokens say, by the token. Only tokens that are valid get in, so whoever makes up others
 * evicts nothing. When a generation is full, the one before it is forgotten: what was used in the meantime
 * has moved on. So a token that is in use costs one look-up, with no order of use to be kept.
 */
export class VerifiedTokens<Facts> {
  #young = new Map<string, Remembered<Facts>>();
  #old = new Map<string, Remembered<Facts>>();
  #youngCharacters = 0;

  get(token: string): Facts | undefined {
    const end = token.slice(-END_LENGTH);
    const known = this.#young.get(end);
    if (known !== undefined && known.token === token) return known.facts;
    const old = this.#old.get(end);
    if (old === undefined || old.token !== token) return undefined;
    this.add(token, old.facts);
    return old.facts;
  }

  add(token: string, facts: Facts): void {
    const isFull =
      this.#young.size >= TOKENS_REMEMBERED_MAX ||
      this.#youngCharacters + token.length > TOKEN_CHARACTERS_MAX;
    if (isFull) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngCharacters = 0;
    }
    const own = ownText(token);
    this.#young.set(own.slice(-END_LENGTH), { token: own, facts });
    this.#youngCharacters += token.length;
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngCharacters = 0;
  }

  /** Tokens remembered, those in both generations twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
