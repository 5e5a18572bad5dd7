import { ownText } from '#core/own-text.ts';
import { RecentMap } from '#core/recent-map.ts';

/** Tokens of one generation; two are kept. With the length below, at most 8 MiB in a worker. */
export const TOKENS_REMEMBERED_MAX = 4096;
/** Characters of the tokens of one generation, one byte each. */
export const TOKEN_CHARACTERS_MAX = 4 * 1024 * 1024;

/** Characters at a token's end, the most random part of its signature, as one number of six bits each. */
const CODE_LENGTH = 5;
const CHARACTER_BITS = 6;

type Remembered<Facts> = { readonly token: string; readonly checkCode: number; readonly facts: Facts };

/**
 * What verified tokens say, by the token, as long as they are in use (see RecentMap). Only tokens that are valid get
 * in, so whoever makes up others evicts nothing.
 *
 * A token is looked up by the code of its last characters, and known by that of those before them, 60 bits together.
 * Then all of it is compared, which nobody learns from who does not know these. To look it up by its text takes three
 * times as long: a text that was cut out of a head has to be hashed each time.
 */
export class VerifiedTokens<Facts> {
  readonly #byEnd = new RecentMap<Remembered<Facts>, number>(
    TOKENS_REMEMBERED_MAX,
    TOKEN_CHARACTERS_MAX,
    ({ token }) => token.length,
  );

  get(token: string): Facts | undefined {
    const known = this.#byEnd.get(lookupCode(token));
    if (known === undefined || known.checkCode !== checkCode(token)) return undefined;
    return known.token === token ? known.facts : undefined;
  }

  add(token: string, facts: Facts): void {
    const own = ownText(token);
    this.#byEnd.set(lookupCode(own), { token: own, checkCode: checkCode(own), facts });
  }

  clear(): void {
    this.#byEnd.clear();
  }

  /** Tokens remembered, those in both generations twice. */
  get size(): number {
    return this.#byEnd.size;
  }
}

function lookupCode(token: string): number {
  return codeOf(token, token.length - CODE_LENGTH);
}

function checkCode(token: string): number {
  return codeOf(token, token.length - 2 * CODE_LENGTH);
}

/** Where a token has no character, it counts as none. */
function codeOf(token: string, from: number): number {
  let code = 0;
  for (let at = from; at < from + CODE_LENGTH; at++) code = (code << CHARACTER_BITS) ^ token.charCodeAt(at);
  return code;
}
