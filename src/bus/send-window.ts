import { PENDING_BYTES_MAX } from './contract.ts';

/**
 * How much has been published that the server is not known to have read. The client library and the socket
 * would buffer without bound what a slow or stopped server leaves lying.
 */
export class SendWindow {
  readonly #flush: () => Promise<void>;
  #unread = 0;
  #isAsking = false;

  /** `flush` resolves when the server has read everything sent before. */
  constructor(flush: () => Promise<void>) {
    this.#flush = flush;
  }

  /** Whether so many bytes more may be sent; if so, they are counted as sent. */
  take(bytes: number): boolean {
    const isRoom = this.#unread + bytes <= PENDING_BYTES_MAX;
    if (isRoom) this.#unread += bytes;
    if (!this.#isAsking && (!isRoom || this.#unread > PENDING_BYTES_MAX / 2)) void this.#ask();
    return isRoom;
  }

  async #ask(): Promise<void> {
    const sent = this.#unread;
    this.#isAsking = true;
    try {
      await this.#flush();
      this.#unread -= sent;
    } catch {
      // The connection was lost, and with it this window.
    } finally {
      this.#isAsking = false;
    }
  }
}
