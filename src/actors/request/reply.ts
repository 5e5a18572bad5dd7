import type { Duplex } from 'node:stream';
import type { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';

/** The way to answer one request. Each listener may be set once. */
export interface Reply {
  /** Of the answer; 0 as long as its head was not sent. */
  readonly status: number;
  /** Whether the connection has ended, so that nothing can be sent any more. */
  readonly isGone: boolean;

  /**
   * An informational answer, 100 and 101 aside. None is sent if the client does not know such, or was answered,
   * or if it cannot be sent as it is.
   */
  inform(status: number, fields: Fields): void;
  head(status: number, reason: string, fields: Fields): void;
  /**
   * A text, or bytes, of which those from `from` to `to`: to make a Buffer of these would cost more than to pass on a
   * small one. They are lent for the call. False asks the caller to wait for `onDrain`.
   */
  write(chunk: Buffer | string, from?: number, to?: number): boolean;
  /** Trailers are left out where the answer is not chunked. */
  end(trailers?: FlatHeaders): void;

  /** Breaks the connection, so that the client can see that the answer is not complete. */
  cut(): void;

  /** Answers 101 and hands over the connection, which then belongs to the caller; null if it is gone. */
  switchProtocols(fields: Fields): Duplex | null;

  /**
   * From here on it is the client's turn to send, or to read once it is answered. One that does not for `idleMs`, or
   * does it slower than `bytesPerSecondMin`, has its body broken off, or its connection cut. 0 as `idleMs` ends that,
   * while the client has to wait for us; 0 as rate, its default, is for any.
   */
  expectProgress(idleMs: number, bytesPerSecondMin?: number): void;

  /** Tells the client once, if it waits to be told, that its body is wanted (RFC 9110 §10.1.1). */
  inviteBody(): void;

  onDrain(listener: () => void): void;
  /** Every byte of the answer has been handed to the system. */
  onSent(listener: () => void): void;
  /** The connection ended before that. */
  onLeft(listener: () => void): void;
}
