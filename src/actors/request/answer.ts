import type { Duplex } from 'node:stream';
import type { Fields } from '#core/fields.ts';
import type { Upstream } from '#core/table.ts';

/** What an upstream answered: its head, and a body that waits to be delivered. */
export interface Answer {
  readonly upstream: Upstream;
  readonly status: number;
  readonly reason: string;
  /** As received. */
  readonly headers: Fields;
  /** The raw connection after a 101, else null. */
  readonly tunnel: Duplex | null;

  /** Lets the body flow into `sink`. At most once. */
  deliver(sink: AnswerSink): void;

  /** Goes on after `sink.data` returned false. */
  resume(): void;

  /** Lets go: what has not arrived yet will not, and its connection is closed. Idempotent. */
  release(): void;
}

export interface AnswerSink {
  /** What is lent for the call, and where it begins and ends. False asks the upstream to wait until `resume`. */
  data(bytes: Buffer, from: number, to: number): boolean;
  /** Name, value, name, value … as received. */
  end(trailers: readonly string[]): void;
  /** The body broke off. */
  fail(error: Error): void;
}
