import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientSessionOptions,
  connect,
  type SecureClientSessionOptions,
} from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Fields } from '#core/fields.ts';
import { HttpDate } from '#core/http-date.ts';
import type { Arrival } from '#http/arrival.ts';
import type { ServerContext } from '#http/h1-server/server-context.ts';
import { Http2Connection } from '#http/h2-server/connection.ts';
import { Lingering } from '#http/linger.ts';
import { Handshakes } from '#http/tls/handshakes.ts';
import { HeldBytes } from '#shared/held-bytes.ts';
import { createAuthority } from '#test/support/certificates.ts';
import { until } from '#test/support/process.ts';
import { RawH2Client } from '#test/support/raw-h2-client.ts';
import { sampleConnections } from '#test/support/sample-connections.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

export const HEAD_MS = 10_000;
export const KEEP_ALIVE_MS = 75_000;
export const HEAD_BYTES_MAX = 16_384;
export const FIELDS_MAX = 20;
export const STREAMS_MAX = 10;
export const RATE_WINDOW_MS = 5000;

/** HTTP/2 connections over TLS on a real port, whose requests the test answers, and whose time the test tells. */
export async function serve(
  t: TestContext,
  accept?: (arrival: Arrival) => void,
  changes: Partial<ServerContext> = {},
) {
  const clock = new VirtualClock();
  const arrivals: Arrival[] = [];
  const outcomes: string[] = [];
  const connections = sampleConnections(clock, 100);
  const context: ServerContext = {
    clock,
    date: new HttpDate(clock),
    headLimits: { bytesMax: HEAD_BYTES_MAX, fieldsMax: FIELDS_MAX },
    targetBytesMax: 8192,
    requestsPerConnectionMax: 100_000,
    http2StreamsMax: STREAMS_MAX,
    headMs: HEAD_MS,
    keepAliveMs: KEEP_ALIVE_MS,
    keepAliveEnd: '',
    rateWindowMs: RATE_WINDOW_MS,
    held: HeldBytes.create(1, 1_000_000),
    connections,
    lingering: new Lingering(clock),
    isDraining: () => false,
    accept(arrival) {
      const ended: Arrival['ended'] = (outcome) => {
        outcomes.push(outcome);
        arrival.ended(outcome);
      };
      arrivals.push({ ...arrival, ended });
      arrival.reply.onLeft(() => ended('abandoned'));
      accept?.({ ...arrival, ended });
    },
    refuse: () => {},
    ...changes,
  };
  const authority = createAuthority(t);
  const identity = { names: ['one.example'], expiresMs: Infinity, ...authority.issue('DNS:one.example') };
  const material = { identities: [identity], clientCa: null, ticketKeys: Buffer.alloc(48) };
  const settings = { port: null, certificates: [], minVersion: 'TLSv1.2', clientCertificates: null } as const;
  const handshakes = new Handshakes({ ...settings, http2StreamsMax: STREAMS_MAX }, material, clock, () => {});
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    t.after(() => socket.destroy());
    connections.admit(socket);
    handshakes.begin(socket, (secure, tls) => {
      connections.secured(socket, secure);
      new Http2Connection(secure, '127.0.0.1', tls, context);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const options = { port, host: '127.0.0.1', servername: 'one.example', ca: authority.pem };

  const dialTls = () => {
    const socket = connectTls({ ...options, ALPNProtocols: ['h2'] });
    t.after(() => socket.destroy());
    return socket.on('error', () => {});
  };
  const raw = () => new RawH2Client(t, options);
  const dial = (more: ClientSessionOptions & SecureClientSessionOptions = {}): ClientHttp2Session => {
    const session = connect('https://one.example', { ...options, ...more });
    t.after(() => session.destroy());
    return session.on('error', () => {});
  };
  /** The request that has arrived when so many have. */
  const arrived = async (count = 1): Promise<Arrival> => {
    await until('the request has arrived', () => arrivals.length >= count);
    return arrivals[count - 1] as Arrival;
  };
  return { clock, arrivals, outcomes, connections, raw, dial, dialTls, arrived };
}

/** Answers whole, and says that the request has come to its end. */
export function answer({ reply, ended }: Arrival, text: string, status = 200): void {
  reply.onSent(() => ended('responded'));
  reply.head(status, 'Fine', Fields.of(['Content-Length', `${text.length}`]));
  reply.write(text);
  reply.end();
}
