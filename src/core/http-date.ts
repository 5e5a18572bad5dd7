import type { Clock } from './clock.ts';

/** The time as HTTP writes it (RFC 9110 §5.6.7), made once a second. */
export class HttpDate {
  readonly #clock: Clock;
  #second = -1;
  #text = '';
  #line = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get text(): string {
    this.#renew();
    return this.#text;
  }

  /** As the field of a head in HTTP/1, with the line break before it. */
  get line(): string {
    this.#renew();
    return this.#line;
  }

  #renew(): void {
    const second = Math.floor(this.#clock.wallMs() / 1000);
    if (second === this.#second) return;
    this.#second = second;
    // biome-ignore lint/style/noRestrictedGlobals: it writes a time that the clock told.
    this.#text = new Date(second * 1000).toUTCString();
    this.#line = `\r\nDate: ${this.#text}`;
  }
}
