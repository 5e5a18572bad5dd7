import { ownText } from '#core/own-text.ts';
import { RecentMap } from '#core/recent-map.ts';

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
 * What verified tokens say, by the token, as long as they are in use (see RecentMap). Only tokens that are valid get
 * in, so whoever makes up others evicts nothing.
 */
export class VerifiedTokens<Facts> {
  readonly #byEnd = new RecentMap<Remembered<Facts>>(
    TOKENS_REMEMBERED_MAX,
    TOKEN_CHARACTERS_MAX,
    ({ token }) => token.length,
  );

  get(token: string): Facts | undefined {
    const known = this.#byEnd.get(token.slice(-END_LENGTH));
    return known?.token === token ? known.facts : undefined;
  }

  add(token: string, facts: Facts): void {
    const own = ownText(token);
    this.#byEnd.set(own.slice(-END_LENGTH), { token: own, facts });
  }

  clear(): void {
    this.#byEnd.clear();
  }

  /** Tokens remembered, those in both generations twice. */
  get size(): number {
    return this.#byEnd.size;
  }
}
