/** What the transport over HTTP/2 is tested with: the transport as a worker uses it, at real upstreams. */

import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { type Clock, systemClock } from '#core/clock.ts';
import type { UpstreamConnectionSettings } from '#core/settings.ts';
import type { Upstream } from '#core/table.ts';
import type { Transport } from '#http/transport.ts';
import { UpstreamClients } from '#http/upstream-clients.ts';
import { sampleUpstreamConnections } from '#test/support/sample-settings.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';

export const CONNECT_MS = 1000;

export function h2To(
  t: TestContext,
  upstream: Partial<Upstream>,
  settings: Partial<UpstreamConnectionSettings> = {},
  clock: Clock = systemClock,
): Transport {
  const clients = new UpstreamClients(sampleUpstreamConnections({ connectionsMax: 1, ...settings }), clock);
  t.after(() => clients.destroy());
  return clients.for(sampleUpstream({ protocol: 'h2', ...upstream }), CONNECT_MS);
}

export type Behaviour = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: string[]) => void;

/** An upstream that speaks HTTP/2 without TLS, and keeps its sessions to look at. */
export async function startH2Upstream(t: TestContext, behave: Behaviour, settings: Settings = {}) {
  const sessions: ServerHttp2Session[] = [];
  const server = createServer({ settings, strictSingleValueFields: false });
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream, headers, _flags, raw) => {
    stream.on('error', () => {});
    behave(stream as ServerHttp2Stream, headers, raw);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sessions };
}

/** Answers a stream with a text once the request has come whole. */
export function saying(text: string): Behaviour {
  return (stream) => {
    stream.resume();
    stream.on('end', () => {
      stream.respond({ ':status': 200 });
      stream.end(text);
    });
  };
}
