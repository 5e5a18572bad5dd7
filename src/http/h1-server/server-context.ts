import type { Socket } from 'node:net';
import type { Clock } from '#core/clock.ts';
import type { HttpDate } from '#core/http-date.ts';
import type { PlainCause } from '#core/refusals.ts';
import type { HeldBytes } from '#shared/held-bytes.ts';
import type { Arrival } from '../arrival.ts';
import type { Connections } from '../connections.ts';
import type { HeadLimits } from '../h1/head-parser.ts';
import type { Lingering } from '../linger.ts';

/** What the connections of one worker have in common. */
export type ServerContext = {
  readonly clock: Clock;
  readonly date: HttpDate;
  readonly headLimits: HeadLimits;
  /** Of a request target. */
  readonly targetBytesMax: number;
  /** The last one's answer ends its connection. */
  readonly requestsPerConnectionMax: number;
  /** Requests under way at once on a connection of HTTP/2. */
  readonly http2StreamsMax: number;
  /** For a head to arrive, from its first byte; the first one from when the connection was made. */
  readonly headMs: number;
  /** How long a connection is kept between requests. */
  readonly keepAliveMs: number;
  /** Of the heads of answers that keep their connection: fields, as `fieldLines` has them, and END. */
  readonly keepAliveEnd: string;
  /** Over which it is seen how fast a client sends; see ClientPace. */
  readonly rateWindowMs: number;
  readonly connections: Connections;
  readonly lingering: Lingering;
  /** What clients have not read yet is counted here. */
  readonly held: HeldBytes;
  isDraining(): boolean;
  /** Takes a request, and calls its `ended` when it has come to its end. */
  accept(arrival: Arrival): void;
  /** Answers a connection that cannot be read any further, and closes it. */
  refuse(socket: Socket, cause: PlainCause): void;
};
