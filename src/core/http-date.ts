import type { Clock } from './clock.ts';

/** The time as HTTP writes it (RFC 9110 §5.6.7), made once a second. */
export class HttpDate {
  readonly #clock: Clock;
  #second = -1;
  #text = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get text(): string {
    const second = Math.floor(this.#clock.wallMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      // biome-ignore lint/style/noRestrictedGlobals: it writes a time that the clock told.
      this.#text = new Date(second * 1000).toUTCString();
    }
    return this.#text;
  }
}
