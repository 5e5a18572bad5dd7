import type { Clock } from '#core/clock.ts';
import { SignalboxError } from '#core/errors.ts';

/**
 * How long a client may take whose turn it is to send or to read: `idleMs` for the next piece, and not so long that
 * it falls below a least rate. 0 stands for no such rate. Costs readings of the clock, and no timer.
 */
export class ClientPace {
  /** 0 while it is not the client's turn. */
  idleMs = 0;
  readonly #clock: Clock;
  readonly #windowMs: number;
  #bytesPerSecondMin = 0;
  /** What is left of the window that the client has to send. */
  #leftMs = 0;
  /** When so much was left; null while its time stands still. */
  #leftAtMs: number | null = null;
  /** It has less than its idle time. */
  #isHurried = false;

  /** A client may stop for `windowMs` before it is too slow. */
  constructor(clock: Clock, windowMs: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
  }

  /** A request begins. */
  begin(): void {
    this.idleMs = 0;
    this.#leftMs = this.#windowMs;
    this.#leftAtMs = null;
  }

  expect(idleMs: number, bytesPerSecondMin: number): void {
    this.#settle();
    this.idleMs = idleMs;
    this.#bytesPerSecondMin = bytesPerSecondMin;
    if (idleMs === 0 || bytesPerSecondMin === 0) this.#leftAtMs = null;
    else this.#leftAtMs ??= this.#clock.monotonicMs();
  }

  /** Each byte that is sent gives back as much of the window as it may take. */
  received(bytes: number): void {
    if (this.#leftAtMs === null) return;
    this.#settle();
    this.#leftMs = Math.min(this.#windowMs, this.#leftMs + (bytes * 1000) / this.#bytesPerSecondMin);
  }

  /** For the next piece that it sends, or to read `unreadBytes`. */
  mayTakeMs(isSending: boolean, unreadBytes: number): number {
    const mayTakeMs = isSending ? this.#sendingMs() : this.#readingMs(unreadBytes);
    this.#isHurried = mayTakeMs < this.idleMs;
    return mayTakeMs;
  }

  /**
   * Whether a client whose time to read is over was waiting for us, since it had read all there was, of which nothing
   * tells. Then it has its idle time from now on.
   */
  hasCaughtUp(unreadBytes: number): boolean {
    const hasCaughtUp = this.#isHurried && unreadBytes === 0;
    this.#isHurried = false;
    return hasCaughtUp;
  }

  #sendingMs(): number {
    if (this.#leftAtMs === null) return this.idleMs;
    this.#settle();
    return Math.min(this.idleMs, Math.max(0, this.#leftMs));
  }

  #readingMs(bytes: number): number {
    if (bytes === 0 || this.#bytesPerSecondMin === 0) return this.idleMs;
    return Math.min(this.idleMs, Math.max(this.#windowMs, (bytes * 1000) / this.#bytesPerSecondMin));
  }

  #settle(): void {
    if (this.#leftAtMs === null) return;
    const nowMs = this.#clock.monotonicMs();
    this.#leftMs -= nowMs - this.#leftAtMs;
    this.#leftAtMs = nowMs;
  }
}

/** What the body of a client breaks off with that falls behind. */
export function tooSlow(): SignalboxError {
  return new SignalboxError('request_body_slow', 'client', 'The request body came too slowly.');
}
