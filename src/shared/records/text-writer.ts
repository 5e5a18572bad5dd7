import { RecentTexts } from '#core/recent-texts.ts';
import type { Upstream } from '#core/table.ts';
import { WeakLookup } from '#core/weak-lookup.ts';
import { KnownTexts } from './known-texts.ts';
import type { TextKind } from './layout.ts';
import * as layout from './layout.ts';
import type { Region } from './region.ts';
import { type TextWords, textHead, textWords, wholeWords } from './text-words.ts';
import { upstreamText } from './upstream-text.ts';

// For V8 to fold: see docs/decisions/046-own-constants.md.
const { AT, TEXT_HEAD_BYTES, TEXTS, TEXTS_BYTES, UPSTREAM_TEXT, UPSTREAM_TEXT_BYTES_MAX } = layout;

/** Of upstreams. */
const TEXTS_AT_HAND = 64;

/**
 * A longer text is written faster by a call than by its characters: measured, 500 instructions, or 1200 for what was cut
 * out of a head, and 40 a character.
 */
const LOOP_LENGTH_MAX = 20;

export type RecordedTexts = {
  readonly target: string;
  readonly host: string;
  readonly clientAddress: string;
  readonly peerAddress: string;
};

/** Writes the texts of one worker's records. `at` is where a record begins; one that finds no room is left out. */
export class TextWriter {
  readonly #region: Region;
  readonly #hosts = recentTexts(TEXTS.host);
  readonly #addresses = new KnownTexts(TEXTS.clientAddress);
  readonly #userAgents = recentTexts(TEXTS.userAgent);
  readonly #routes = new KnownTexts(TEXTS.route);
  readonly #identities = new KnownTexts(TEXTS.identity);
  readonly #upstreams = new WeakLookup<Upstream, TextWords>(TEXTS_AT_HAND);

  constructor(region: Region) {
    this.#region = region;
  }

  head(at: number, head: RecordedTexts, userAgent: string, route: string): void {
    const { host, clientAddress, peerAddress } = head;
    let used = this.#usedOf(at);
    used = this.#write(at, used, TEXTS.target, head.target);
    used = this.#put(at, used, this.#hosts.find(host), TEXTS.host, host);
    if (peerAddress === clientAddress) {
      const known = this.#addresses.find(clientAddress);
      used = this.#put(at, used, known, TEXTS.clientAddress, clientAddress);
    } else {
      // There are as many clients behind a proxy as there are.
      used = this.#write(at, used, TEXTS.clientAddress, clientAddress);
      used = this.#write(at, used, TEXTS.peerAddress, peerAddress);
    }
    used = this.#put(at, used, this.#userAgents.find(userAgent), TEXTS.userAgent, userAgent);
    this.#use(at, this.#put(at, used, this.#routes.find(route), TEXTS.route, route));
  }

  tracestate(at: number, tracestate: string): void {
    this.#use(at, this.#write(at, this.#usedOf(at), TEXTS.tracestate, tracestate));
  }

  identity(at: number, identity: string): void {
    const known = this.#identities.find(identity);
    this.#use(at, this.#put(at, this.#usedOf(at), known, TEXTS.identity, identity));
  }

  /** Of the attempt with number `nth`, from 0. */
  upstream(at: number, nth: number, upstream: Upstream): void {
    const known =
      this.#upstreams.get(upstream, upstream.slot) ??
      this.#upstreams.add(
        upstream,
        textWords(UPSTREAM_TEXT, upstreamText(upstream), UPSTREAM_TEXT_BYTES_MAX),
      );
    // The codes of the attempts follow one another.
    this.#use(at, this.#copy(at, this.#usedOf(at), known, nth));
  }

  /** Bytes of the record's texts. What is written behind them counts once it is there, by `#use`. */
  #usedOf(at: number): number {
    return this.#region.halves[(at + AT.textBytes) >> 1] as number;
  }

  #use(at: number, bytes: number): void {
    this.#region.halves[(at + AT.textBytes) >> 1] = bytes;
  }

  /** Behind `used` bytes of texts. Returns how many they are then. So with the others. */
  #put(at: number, used: number, known: TextWords | undefined, kind: TextKind, text: string): number {
    return known === undefined ? this.#write(at, used, kind, text) : this.#copy(at, used, known, 0);
  }

  /** `more` is added to the code. */
  #copy(at: number, used: number, text: TextWords, more: number): number {
    const { words } = this.#region;
    const end = used + text.length * Int32Array.BYTES_PER_ELEMENT;
    if (end > TEXTS_BYTES) return used;
    const from = (at + AT.texts + used) >> 2;
    words[from] = (text[0] as number) + more;
    for (let nth = 1; nth < text.length; nth++) words[from + nth] = text[nth] as number;
    return end;
  }

  #write(at: number, used: number, { code, bytesMax }: TextKind, text: string): number {
    const { bytes, words } = this.#region;
    const length = Math.min(text.length, bytesMax);
    const end = used + wholeWords(TEXT_HEAD_BYTES + length);
    if (length === 0 || end > TEXTS_BYTES) return used;
    const head = at + AT.texts + used;
    words[head >> 2] = textHead(code, length);
    const from = head + TEXT_HEAD_BYTES;
    // Written, it is the same as latin1, says Node's documentation; it is found sooner among the encodings.
    if (length > LOOP_LENGTH_MAX) bytes.write(text, from, length, 'ascii');
    else for (let nth = 0; nth < length; nth++) bytes[from + nth] = text.charCodeAt(nth);
    return end;
  }
}

/** In words. */
function recentTexts({ code, bytesMax }: TextKind): RecentTexts<TextWords> {
  return new RecentTexts((text) => textWords(code, text, bytesMax));
}
