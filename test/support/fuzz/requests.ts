/** Requests, changed in any way, through a client's connection and on to an upstream's, with the oracle at both ends. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Fields } from '#core/fields.ts';
import { isHopByHop } from '#core/headers.ts';
import { HttpDate } from '#core/http-date.ts';
import type { Arrival } from '#http/arrival.ts';
import { H1Pool } from '#http/h1-dispatcher/h1-pool.ts';
import { Connection } from '#http/h1-server/connection.ts';
import type { ServerContext } from '#http/h1-server/server-context.ts';
import { Lingering } from '#http/linger.ts';
import type { TransportHandler } from '#http/transport.ts';
import { HeldBytes } from '#shared/held-bytes.ts';
import { sampleConnections } from '../sample-connections.ts';
import { sampleUpstreamConnections } from '../sample-settings.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { MemorySocket } from './memory-socket.ts';
import { type Case, piecesOf } from './mutate.ts';
import { type Message, readRequests } from './oracle.ts';

/** Nothing takes so many turns of the event loop: whoever does hangs. */
const TURNS_MAX = 200;

const OK = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');

export type RequestVerdict = {
  /** What is wrong, or null. */
  readonly problem: string | null;
  /** Requests that were forwarded, and whether what followed them was refused. */
  readonly forwarded: number;
  readonly isRefused: boolean;
};

/** Sends the case as a client that then ends its side, and compares what upstreams get with what the oracle reads. */
export async function checkRequests(fuzzed: Case): Promise<RequestVerdict> {
  const clock = new VirtualClock();
  const upstream = new OracleUpstream();
  const pool = new H1Pool(upstream.open, sampleUpstreamConnections({ connectionsMax: 1 }), clock);
  const client = new MemorySocket();
  const connections = sampleConnections(clock, 1);
  connections.admit(client.asSocket);
  new Connection(client.asSocket, '127.0.0.1', null, contextOf(clock, connections, pool));
  const isSlow = fuzzed.cuts.length % 2 === 1;
  for (const piece of piecesOf(fuzzed)) {
    client.receive(piece);
    if (isSlow) await nextTurn();
  }
  client.receiveEnd();
  let turns = 0;
  while (!client.closed && turns++ < TURNS_MAX) await nextTurn();
  await pool.destroy();
  const { messages } = readRequests(fuzzed.text);
  const isRefused = client.written.includes('refused: ');
  const problem = client.closed ? complaint(messages, upstream, client) : 'the connection hangs';
  return { problem, forwarded: upstream.messages.length, isRefused };
}

/** Reads what is written to it by the oracle, and answers each message. */
class OracleUpstream {
  readonly messages: Message[] = [];
  /** What was written and is no whole message. */
  readonly rests: string[] = [];

  readonly open: ConstructorParameters<typeof H1Pool>[0] = (onread, done) => {
    const socket = new MemorySocket(onread);
    let read = 0;
    const rest = this.rests.push('') - 1;
    socket.onWritten = () => {
      const reading = readRequests(socket.written);
      this.rests[rest] = reading.rest;
      for (const message of reading.messages.slice(read)) {
        read++;
        this.messages.push(message);
        queueMicrotask(() => socket.receive(OK));
      }
    };
    queueMicrotask(() => done(null));
    return socket.asSocket;
  };
}

function contextOf(
  clock: VirtualClock,
  connections: ServerContext['connections'],
  pool: H1Pool,
): ServerContext {
  const lingering = new Lingering(clock);
  return {
    clock,
    date: new HttpDate(clock),
    headLimits: { bytesMax: 65_536, fieldsMax: 256 },
    targetBytesMax: 8_192,
    requestsPerConnectionMax: 1_000,
    http2StreamsMax: 0,
    headMs: 10_000,
    keepAliveMs: 10_000,
    keepAliveEnd: '\r\nConnection: keep-alive\r\n\r\n',
    rateWindowMs: 10_000,
    connections,
    lingering,
    held: HeldBytes.create(1, 1_000_000),
    isDraining: () => false,
    accept: (arrival) => forward(arrival, pool),
    refuse: (socket, cause) => lingering.end(socket, `refused: ${cause}`),
  };
}

/** As the proxy does it, less what does not concern the framing. */
function forward(arrival: Arrival, pool: H1Pool): void {
  const { method, target, headers, body, wholeBody, reply, ended } = arrival;
  reply.onSent(() => ended('responded'));
  reply.onLeft(() => ended('abandoned'));
  if (body !== null) reply.inviteBody();
  const answer = (status: number) => {
    if (reply.isGone || reply.status !== 0) return;
    reply.head(status, 'Fine', Fields.of(['Content-Length', '0']));
    reply.end();
    body?.resume();
  };
  const handler: TransportHandler = {
    onRequestStart: () => {},
    onResponseStart: () => {},
    onRequestUpgrade: () => {},
    onResponseData: () => {},
    onResponseEnd: () => answer(200),
    onResponseError: () => answer(502),
  };
  const trailers = () => body?.rawTrailers ?? [];
  pool.dispatch(
    { method, path: target, headers: Fields.of(endToEnd(headers.flat())), body: body ?? wholeBody, trailers },
    handler,
  );
}

function endToEnd(headers: readonly string[], others: readonly string[] = []): string[] {
  return headers.filter((_, at) => {
    const name = (headers[at - (at % 2)] ?? '').toLowerCase();
    return !isHopByHop(name) && !others.includes(name);
  });
}

const FRAMING = ['content-length', 'transfer-encoding'];

function complaint(sent: readonly Message[], upstream: OracleUpstream, client: MemorySocket): string | null {
  const expected = sent.filter(({ start: [method] }) => method !== 'CONNECT').map(meaningOf);
  const got = upstream.messages.map(meaningOf);
  if (!isDeepStrictEqual(got, expected)) {
    return `upstreams got ${JSON.stringify(got)} for ${JSON.stringify(expected)}`;
  }
  for (const [nth, { trailers }] of upstream.messages.entries()) {
    const known = sent.filter(({ start: [method] }) => method !== 'CONNECT')[nth]?.trailers ?? [];
    if (trailers.some((text) => !known.includes(text))) return `trailers came from nowhere: ${trailers}`;
  }
  // What was begun and not ended is not read on by anybody: its connection is gone.
  if (upstream.rests.slice(0, -1).some((rest) => rest !== ''))
    return 'a connection was used again after half a request';
  const answers = client.written.match(/^HTTP\/1\.1 200 Fine\r$/gm)?.length ?? 0;
  return answers === got.length ? null : `${answers} answers to ${got.length} requests`;
}

function meaningOf({ start, headers, body }: Message) {
  return { start, headers: endToEnd(headers, FRAMING), body };
}
