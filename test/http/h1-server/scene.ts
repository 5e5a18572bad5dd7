import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Fields } from '#core/fields.ts';
import { HttpDate } from '#core/http-date.ts';
import type { Arrival } from '#http/arrival.ts';
import { peerAddress } from '#http/client-address.ts';
import { Connection } from '#http/h1-server/connection.ts';
import type { ServerContext } from '#http/h1-server/server-context.ts';
import { Lingering } from '#http/linger.ts';
import { HeldBytes } from '#shared/held-bytes.ts';
import { until } from '#test/support/process.ts';
import { RawClient } from '#test/support/raw-client.ts';
import { sampleConnections } from '#test/support/sample-connections.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

export const HEAD_MS = 10_000;
export const KEEP_ALIVE_MS = 75_000;
export const HEAD_BYTES_MAX = 16_384;
export const RATE_WINDOW_MS = 10_000;
export const FIELDS_MAX = 20;
export const TARGET_BYTES_MAX = 8 * 1024;

/** Connections on a real port, whose requests the test answers, and whose time the test tells. */
export async function serve(
  t: TestContext,
  accept?: (arrival: Arrival) => void,
  changes: Partial<ServerContext> = {},
) {
  const clock = new VirtualClock();
  const arrivals: Arrival[] = [];
  const outcomes: string[] = [];
  const sockets: Socket[] = [];
  const state = { isDraining: false };
  const connections = sampleConnections(clock, 100);
  const lingering = new Lingering(clock);
  const context: ServerContext = {
    clock,
    date: new HttpDate(clock),
    headLimits: { bytesMax: HEAD_BYTES_MAX, fieldsMax: FIELDS_MAX },
    targetBytesMax: TARGET_BYTES_MAX,
    requestsPerConnectionMax: 100_000,
    rateWindowMs: RATE_WINDOW_MS,
    http2StreamsMax: 0,
    headMs: HEAD_MS,
    keepAliveMs: KEEP_ALIVE_MS,
    keepAliveEnd: '\r\nConnection: keep-alive\r\n\r\n',
    connections,
    lingering,
    held: HeldBytes.create(1, 1_000_000),
    isDraining: () => state.isDraining,
    accept(arrival) {
      const ended: Arrival['ended'] = (outcome) => {
        outcomes.push(outcome);
        arrival.ended(outcome);
      };
      arrivals.push({ ...arrival, ended });
      if (accept !== undefined) accept({ ...arrival, ended });
      else arrival.reply.onLeft(() => ended('abandoned'));
    },
    refuse: (socket, cause) => lingering.end(socket, `refused: ${cause}`),
    ...changes,
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    t.after(() => socket.destroy());
    sockets.push(socket);
    connections.admit(socket);
    new Connection(socket, peerAddress(socket.remoteAddress), null, context);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const dial = () => RawClient.dial(t, port);

  /** Sends a request on a connection of its own, and resolves with it as it arrived. */
  const ask = async (bytes: string): Promise<{ client: RawClient; arrival: Arrival }> => {
    const before = arrivals.length;
    const client = dial().say(bytes);
    await until('the request has arrived', () => arrivals.length > before);
    return { client, arrival: arrivals[before] as Arrival };
  };
  return { port, clock, arrivals, sockets, outcomes, connections, state, dial, ask };
}

/** Answers whole, drops what is left of the body, and says that the request has come to its end. */
export function answer({ reply, body, ended }: Arrival, text: string, status = 200): void {
  reply.onSent(() => ended('responded'));
  reply.head(status, 'Fine', Fields.of(['Content-Length', `${text.length}`, 'Date', 'now']));
  reply.write(text);
  body?.resume();
  reply.end();
}
