import type { Readable } from 'node:stream';
import type { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import type { Plan } from '#core/plan.ts';
import type { Protocol } from '#core/request-record.ts';
import type { Route, Table } from '#core/table.ts';
import type { ClientTls } from '#core/tls.ts';
import type { TraceContext } from '#core/trace/context.ts';
import type { Reply } from './reply.ts';

/** One request and the way to answer it, as the listener hands it to the request machine. */
export type Exchange = {
  /** Trace id: 32 lower-case hex digits; also the request id. */
  readonly id: string;
  readonly trace: TraceContext;
  /** Number of the request's record; see RequestRecorder. */
  readonly record: number;
  /** The table that the request was admitted with, whatever comes later. */
  readonly table: Table;
  readonly route: Route;
  readonly plan: Plan;
  readonly request: RequestHead;
  readonly body: ReplayableBody;
  readonly reply: Reply;
  /** Headers that the answer will carry, whoever makes it. */
  readonly notices: Fields;
};

export type RequestHead = {
  readonly method: string;
  /** Origin form: path and query, as they go to the upstream. */
  readonly target: string;
  /** The path that routes were matched with: see Target. */
  readonly path: string;
  readonly host: string;
  /** As received. */
  readonly headers: Fields;
  /** The client's address: the peer's, or what trusted proxies said of it. */
  readonly clientAddress: string;
  readonly peerAddress: string;
  /** Whether the peer is a trusted proxy, whose X-Forwarded-* are kept and extended. */
  readonly peerTrusted: boolean;
  readonly scheme: 'http' | 'https';
  /** Of the connection; null where it is not encrypted. */
  readonly tls: ClientTls | null;
  readonly protocol: Protocol;
  /** The protocol that the client asks to switch to, lower case, or null. */
  readonly upgrade: string | null;
  /** Clock.monotonicMs() when the head had arrived. */
  readonly receivedMs: number;
};

/** A request's body, which several attempts may need. */
export interface ReplayableBody {
  /** Whether its length is declared, so that it may well come before there is an answer. */
  readonly isDeclared: boolean;
  /** Whether a new reader would see the body from its first byte. */
  readonly isReplayable: boolean;
  /** What came behind it, once it was read to its end: name, value, name, value … */
  readonly trailers: FlatHeaders;

  /**
   * Reads as much of it as is kept, before it is opened. `told` is called once, maybe before this returns: when that
   * has come or the body has ended, with null; or with a SignalboxError when it broke off. To call what is returned
   * ends the wait: what came is there for whoever opens the body.
   */
  receive(told: (error: Error | null) => void): () => void;

  /**
   * The whole body for one attempt, or null without one. An earlier reader gets nothing more. A reader
   * fails with a SignalboxError if the client breaks off, or if the body cannot be read again.
   */
  open(watch?: TurnWatch): Readable | Buffer | null;

  /** Reads and drops what the client still sends, so that its connection can serve the next request. */
  discard(): void;
}

/** Told when the reader waits for the client, and when the client waits for the reader, or has sent all. */
export interface TurnWatch {
  awaitClient(isAwaited: boolean): void;
}
