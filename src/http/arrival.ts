import type { Readable } from 'node:stream';
import type { Reply } from '#actors/request/reply.ts';
import type { Outcome } from '#actors/request/run.ts';
import type { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import type { PlainCause } from '#core/refusals.ts';
import type { Protocol } from '#core/request-record.ts';
import type { ClientTls } from '#core/tls.ts';

/** The head of a request as it was parsed; its framing is sound, unless it has a fault. */
export type ReceivedHead = {
  readonly method: string;
  /** As received, whatever its form. */
  readonly target: string;
  readonly protocol: Protocol;
  readonly headers: Fields;
  readonly peerAddress: string;
  /** Null where the connection is not encrypted. */
  readonly tls: ClientTls | null;
  /** The protocol that the client asks to switch to, and that we would switch to; else null. */
  readonly upgrade: string | null;
  /** Why it is refused without a look at what it is for; null for most. */
  readonly fault: PlainCause | null;
};

/** A body as it comes off a connection, and the fields behind it once it has ended. */
export type ArrivingBody = Readable & { readonly rawTrailers?: FlatHeaders };

/** One request as a connection delivers it. */
export type Arrival = ReceivedHead & {
  /** Null without one, and where all of it came with the head: then it is `wholeBody`. */
  readonly body: ArrivingBody | null;
  readonly wholeBody: Buffer | null;
  /** As declared: 0 without a body, Infinity when it is not declared. */
  readonly bodyBytes: number;
  readonly reply: Reply;
  /** Called once, when the request has come to its end. */
  readonly ended: (outcome: Outcome) => void;
};
