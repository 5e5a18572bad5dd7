/**
 * One attempt to connect to one server. The client library does not end an attempt that it gave up: a server that accepts
 * a connection and says nothing, because it is stopped or the network lost it, would cost a socket each
 * time we try (nats.js#64). So we note the sockets that an attempt opens, and destroy those of a failed one.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { connect, credsAuthenticator, type NatsConnection, type NodeConnectionOptions } from 'nats';
import type { BusAuth, BusServer, BusSettings, BusTls } from '#core/settings.ts';
import { nameOf } from './settings.ts';

/** Connecting, encryption and login. */
const DIAL_MS_MAX = 2_000;
/** An unresponsive server is noticed after three of these. */
const PING_EVERY_MS = 1_000;
const PINGS_UNANSWERED_MAX = 2;

/** While it lasts. What is done over the connection later still runs in its context, and may open others. */
type Attempt = { readonly sockets: Socket[]; isOver: boolean };

const attempts = new AsyncLocalStorage<Attempt>();

channel('net.client.socket').subscribe((message) => {
  const attempt = attempts.getStore();
  if (attempt?.isOver === false) attempt.sockets.push((message as { socket: Socket }).socket);
});

/** Rejects with what went wrong, or soon after `signal` aborts. */
export async function dial(
  server: BusServer,
  settings: BusSettings,
  signal: AbortSignal,
): Promise<NatsConnection> {
  const options = await optionsOf(server, settings);
  signal.throwIfAborted();
  const attempt: Attempt = { sockets: [], isOver: false };
  const hangUp = () => {
    for (const socket of attempt.sockets) socket.destroy();
  };
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    return await attempts.run(attempt, () => connect(options));
  } catch (error) {
    hangUp();
    throw error;
  } finally {
    attempt.isOver = true;
    signal.removeEventListener('abort', hangUp);
  }
}

async function optionsOf(server: BusServer, settings: BusSettings): Promise<NodeConnectionOptions> {
  return {
    servers: nameOf(server),
    name: settings.clientName,
    inboxPrefix: `${settings.prefix}.inbox`,
    timeout: DIAL_MS_MAX,
    pingInterval: PING_EVERY_MS,
    maxPingOut: PINGS_UNANSWERED_MAX,
    // Reconnecting is ours: the library waits for ever to flush what a stopped server does not read.
    reconnect: false,
    noAsyncTraces: true,
    ...(await authOptions(settings.auth)),
    ...(settings.tls === null ? {} : { tls: tlsOptions(server, settings.tls) }),
  };
}

async function authOptions(auth: BusAuth): Promise<NodeConnectionOptions> {
  switch (auth.kind) {
    case 'none':
      return {};
    case 'password':
      return { user: auth.user, pass: auth.password };
    case 'token':
      return { token: auth.token };
    case 'creds':
      return { authenticator: credsAuthenticator(await readFile(auth.file)) };
  }
}

function tlsOptions(
  { host }: BusServer,
  { caFile, certFile, keyFile }: BusTls,
): NonNullable<NodeConnectionOptions['tls']> {
  const options = {
    // Passed on to node:tls: without it, the certificate of a server known by its address would have to be
    // for `localhost`.
    host,
    ...(caFile === null ? {} : { caFile }),
    ...(certFile === null ? {} : { certFile }),
    ...(keyFile === null ? {} : { keyFile }),
  };
  return options;
}
