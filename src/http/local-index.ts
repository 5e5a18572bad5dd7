import type { RequestHead } from '#actors/request/exchange.ts';
import type { Local } from './local.ts';

/** A root has at least so many characters to be told by, the slash among them. */
const ROOT_LENGTH_MIN = 3;

/** Ways in which a root may begin; a power of two. */
const BEGINNINGS = 256;

/**
 * Finds the local that answers a request. Nearly all requests are for none: those are told by two characters, which
 * takes a fifth of asking each local.
 */
export class LocalIndex {
  readonly #locals: readonly Local[];
  /** Those that have to be asked each time. */
  readonly #anywhere: readonly Local[];
  readonly #beginnings = new Uint8Array(BEGINNINGS);

  /** In order of precedence. */
  constructor(locals: readonly Local[]) {
    this.#locals = locals;
    this.#anywhere = locals.filter(({ root }) => root === null || root.length < ROOT_LENGTH_MIN);
    for (const { root } of locals) if (root !== null) this.#beginnings[beginningOf(root)] = 1;
  }

  find(head: RequestHead): Local | null {
    const { target, path } = head;
    const isLikely = this.#isLikely(target) || (path !== target && this.#isLikely(path));
    for (const local of isLikely ? this.#locals : this.#anywhere) if (local.answers(head)) return local;
    return null;
  }

  #isLikely(text: string): boolean {
    return this.#beginnings[beginningOf(text)] === 1;
  }
}

/** Equal for texts that begin with the same three characters. */
function beginningOf(text: string): number {
  return (text.charCodeAt(1) + 7 * text.charCodeAt(2)) & (BEGINNINGS - 1);
}
