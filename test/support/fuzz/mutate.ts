/** Messages, and what can go wrong with them on the way: all of it from one generator, so that a seed replays it. */
import type { Random } from '#core/random.ts';

export type Case = { readonly text: string; readonly cuts: readonly number[] };

const SPECIAL = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '"',
  '\\',
  '0',
  '1',
  'f',
  '\x0b',
  '\x7f',
  '\x80',
  '\xa0',
  '\xff',
];
const LINES = [
  'Content-Length: 0',
  'Content-Length: 3',
  'Content-Length: 03',
  'Content-Length: +3',
  'Content-Length: 3, 3',
  'Content-Length : 3',
  'content-length:3',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding : chunked',
  ' Transfer-Encoding: chunked',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: x, close',
  'Connection: content-length',
  'Expect: 100-continue',
  'Upgrade: h2c',
  'TE: trailers',
  'Host: other',
  'X: ',
  ': no name',
];
const SIZES = [
  '0',
  '00',
  '0x3',
  '+3',
  '-1',
  ' 3',
  '3 ',
  '3;a',
  '3;a="b',
  '3;a="\\"',
  'fffffffffffffffff',
  '1fffffffffffff',
  '3\n',
  'g',
];
const METHODS = ['GET', 'GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'CONNECT'];
const STATUSES = ['200 OK', '200', '404 Not Found', '204 No Content', '304 Not Modified', '599 ', '999 x'];
const INFORMATIONAL = ['100 Continue', '102 Processing', '103 Early Hints', '101 Switching Protocols'];

const MESSAGES_MAX = 3;
const MUTATIONS_MAX = 4;
const CUTS_MAX = 6;
const BODY_CHARS_MAX = 40;

export class Generator {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Below `end`. */
  nat(end: number): number {
    return Math.floor(this.#random.float() * end);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.nat(choices.length)] as T;
  }

  chance(share: number): boolean {
    return this.#random.float() < share;
  }

  /** Some requests in a row, changed, and then one that is as it should be. */
  requests(): Case {
    const texts = Array.from({ length: 1 + this.nat(MESSAGES_MAX) }, (_, nth) => this.#request(nth));
    const marker = 'GET /marker HTTP/1.1\r\nHost: fuzz\r\n\r\n';
    return this.#cutUp(this.#mutated(texts.join('')) + marker);
  }

  /** An answer to a request with some method, changed; sometimes more than that, sometimes to the end of all. */
  answer(): Case & { readonly method: string; readonly hasEnded: boolean } {
    const hints = this.chance(0.2) ? `HTTP/1.1 ${this.pick(INFORMATIONAL)}\r\nX-Hint: 1\r\n\r\n` : '';
    const start = `HTTP/1.${this.chance(0.9) ? 1 : 0} ${this.pick(STATUSES)}`;
    const text = hints + this.#message(start) + (this.chance(0.05) ? 'HTTP/1.1 200 OK\r\n\r\n' : '');
    const asked = { method: this.pick(['GET', 'GET', 'HEAD', 'POST']), hasEnded: this.chance(0.5) };
    return { ...this.#cutUp(this.#mutated(text)), ...asked };
  }

  #request(nth: number): string {
    return this.#message(`${this.pick(METHODS)} /${nth}?q=${this.nat(9)} HTTP/1.${this.chance(0.9) ? 1 : 0}`);
  }

  #message(start: string): string {
    const lines = [start, 'Host: fuzz'];
    for (let fields = this.nat(3); fields > 0; fields--) lines.push(`X-${this.nat(9)}: ${this.#text(8)}`);
    if (this.chance(0.1)) lines.push(this.pick(LINES));
    const body = this.#text(BODY_CHARS_MAX);
    const framing = this.nat(3);
    if (framing === 0) return `${lines.join('\r\n')}\r\n\r\n`;
    if (framing === 1) return `${[...lines, `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`;
    return `${[...lines, 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\n${this.#chunks(body)}`;
  }

  #chunks(body: string): string {
    let text = '';
    for (let at = 0; at < body.length; ) {
      const part = body.slice(at, at + 1 + this.nat(12));
      const extension = this.chance(0.2) ? this.pick([';x', ';x=y', ';x="y"', ' ;x', ';x="a;\\"b"']) : '';
      text += `${part.length.toString(16)}${extension}\r\n${part}\r\n`;
      at += part.length;
    }
    const trailers = this.chance(0.2) ? `X-Trailer: ${this.#text(4)}\r\n` : '';
    return `${text}0\r\n${trailers}\r\n`;
  }

  #text(charsMax: number): string {
    const codes = Array.from({ length: this.nat(charsMax + 1) }, () => 0x21 + this.nat(0x5e));
    return String.fromCharCode(...codes);
  }

  #mutated(text: string): string {
    let changed = text;
    for (let left = this.nat(MUTATIONS_MAX + 1); left > 0; left--) changed = this.#mutation(changed);
    return changed;
  }

  #mutation(text: string): string {
    const at = this.nat(text.length + 1);
    const [before, after] = [text.slice(0, at), text.slice(at)];
    switch (this.nat(9)) {
      case 0:
        return before + String.fromCharCode((after.charCodeAt(0) || 0) ^ (1 << this.nat(8))) + after.slice(1);
      case 1:
        return before + this.pick(SPECIAL) + after;
      case 2:
        return before + after.slice(1 + this.nat(4));
      case 3:
        return before + this.pick(SPECIAL) + after.slice(1);
      case 4:
        return this.#atLine(text, (line) => `${line}\r\n${this.pick(LINES)}`);
      case 5:
        return this.#atLine(text, (line) => `${line}\r\n${line}`);
      case 6:
        return this.#atLine(text, (line) => `${line}${this.pick(['\n', '\r', '\r\n ', '\r\n\t', ''])}`);
      case 7:
        return text.replace(/(?<=\r\n)[0-9a-f]{1,2}(?=[;\r])/, () => this.pick(SIZES));
      default:
        return before + after.slice(this.nat(after.length + 1));
    }
  }

  /** Changes one of the lines, less its end. */
  #atLine(text: string, change: (line: string) => string): string {
    const lines = text.split('\r\n');
    const nth = this.nat(lines.length);
    return lines.with(nth, change(lines[nth] ?? '')).join('\r\n');
  }

  #cutUp(text: string): Case {
    const cuts = Array.from({ length: this.nat(CUTS_MAX + 1) }, () => this.nat(text.length + 1));
    return { text, cuts: cuts.toSorted((a, b) => a - b) };
  }
}

/** The text in pieces, as it arrives; none of them is empty. */
export function piecesOf({ text, cuts }: Case): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const ends = [...cuts.filter((cut) => cut < bytes.length), bytes.length];
  return ends.map((end, nth) => bytes.subarray(ends[nth - 1] ?? 0, end)).filter((piece) => piece.length > 0);
}
