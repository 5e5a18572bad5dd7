import type { Upstream } from '#core/table.ts';
import { WeakLookup } from '#core/weak-lookup.ts';
import { KnownTexts } from './known-texts.ts';
import type { TextKind } from './layout.ts';
import * as layout from './layout.ts';
import { RecentTexts } from './recent-texts.ts';
import type { Region } from './region.ts';
import { type TextWords, textHead, textWords, wholeWords } from './text-words.ts';
import { upstreamText } from './upstream-text.ts';

// For V8 to fold: see docs/decisions/046-own-constants.md.
const { AT, TEXT_HEAD_BYTES, TEXTS, TEXTS_BYTES, UPSTREAM_TEXT, UPSTREAM_TEXT_BYTES_MAX } = layout;

/** Of upstreams. */
const TEXTS_AT_HAND = 64;

/**
 * A longer text is written faster by a call than by its characters; measured, at 500 instructions, or 1200 for what was
 * cut out of a head, to 40.
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
  readonly #hosts = new RecentTexts(TEXTS.host);
  readonly #addresses = new KnownTexts(TEXTS.clientAddress);
  readonly #userAgents = new RecentTexts(TEXTS.userAgent);
  readonly #routes = new KnownTexts(TEXTS.route);
  readonly #identities = new KnownTexts(TEXTS.identity);
  readonly #upstreams = new WeakLookup<Upstream, TextWords>(TEXTS_AT_HAND);

  constructor(region: Region) {
    this.#region = region;
  }

  head(at: number, head: RecordedTexts, userAgent: string, route: string): void {
    const { host, clientAddress, peerAddress } = head;
    this.#write(at, TEXTS.target, head.target);
    this.#put(at, this.#hosts.find(host), TEXTS.host, host);
    if (peerAddress === clientAddress)
      this.#put(at, this.#addresses.find(clientAddress), TEXTS.clientAddress, clientAddress);
    else {
      // There are as many clients behind a proxy as there are.
      this.#write(at, TEXTS.clientAddress, clientAddress);
      this.#write(at, TEXTS.peerAddress, peerAddress);
    }
    this.#put(at, this.#userAgents.find(userAgent), TEXTS.userAgent, userAgent);
    this.#put(at, this.#routes.find(route), TEXTS.route, route);
  }

  tracestate(at: number, tracestate: string): void {
    this.#write(at, TEXTS.tracestate, tracestate);
  }

  identity(at: number, identity: string): void {
    this.#put(at, this.#identities.find(identity), TEXTS.identity, identity);
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
    this.#copy(at, known, nth);
  }

  #put(at: number, known: TextWords | undefined, kind: TextKind, text: string): void {
    if (known === undefined) this.#write(at, kind, text);
    else this.#copy(at, known, 0);
  }

  /** `more` is added to the code. */
  #copy(at: number, text: TextWords, more: number): void {
    const { halves, words } = this.#region;
    const used = halves[(at + AT.textBytes) >> 1] as number;
    const end = used + text.length * Int32Array.BYTES_PER_ELEMENT;
    if (end > TEXTS_BYTES) return;
    const from = (at + AT.texts + used) >> 2;
    words[from] = (text[0] as number) + more;
    for (let nth = 1; nth < text.length; nth++) words[from + nth] = text[nth] as number;
    halves[(at + AT.textBytes) >> 1] = end;
  }

  #write(at: number, { code, bytesMax }: TextKind, text: string): void {
    const { bytes, halves, words } = this.#region;
    const used = halves[(at + AT.textBytes) >> 1] as number;
    const length = Math.min(text.length, bytesMax);
    const end = used + wholeWords(TEXT_HEAD_BYTES + length);
    if (length === 0 || end > TEXTS_BYTES) return;
    const head = at + AT.texts + used;
    words[head >> 2] = textHead(code, length);
    const from = head + TEXT_HEAD_BYTES;
    // Written, it is the same as latin1, says Node's documentation; it is found sooner among the encodings.
    if (length > LOOP_LENGTH_MAX) bytes.write(text, from, length, 'ascii');
    else for (let nth = 0; nth < length; nth++) bytes[from + nth] = text.charCodeAt(nth);
    halves[(at + AT.textBytes) >> 1] = end;
  }
}
