import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import type { Clock } from '#core/clock.ts';
import { SignalboxError } from '#core/errors.ts';
import type { Upstream, UpstreamProtocol, UpstreamTls } from '#core/table.ts';

/** How long a connection is silent before the system asks whether its peer is still there. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** Opens a connection, and tells once whether it stands. Reads go to `onread` if there is one. */
export type OpenUpstream = (onread: OnReadOpts | null, done: (error: Error | null) => void) => Socket;

/**
 * Opens connections to one upstream, each within `connectMs`, TLS included. The names for SNI and for the
 * certificate are the upstream's, never the client's, whatever Host is forwarded.
 */
export function upstreamOpener(
  { address, port, tls, protocol }: Upstream,
  connectMs: number,
  clock: Clock,
): OpenUpstream {
  const open =
    tls === null
      ? (onread: OnReadOpts | null) => connect({ host: address, port, ...(onread && { onread }) })
      : tlsOpener(address, port, tls, protocol);
  const opened = tls === null ? 'connect' : 'secureConnect';

  return (onread, done) => {
    const socket = open(onread).setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    const timer = clock.after(connectMs, () => socket.destroy(connectTimeout(connectMs)));
    let isPending = true;
    const end = (error: Error | null) => {
      timer.cancel();
      if (!isPending) return;
      isPending = false;
      done(error);
    };
    socket.on('error', end);
    socket.on('close', () => timer.cancel());
    socket.once(opened, () => end(null));
    return socket;
  };
}

function connectTimeout(connectMs: number): SignalboxError {
  return new SignalboxError('connect_timeout', 'upstream', `There was no connection within ${connectMs} ms.`);
}

/** The same for undici, whose own connector looks at its clock once a second. */
export function connectorOf(open: OpenUpstream): buildConnector.connector {
  return (_, done) => {
    const socket = open(null, (error) => (error === null ? done(null, socket) : done(error, null)));
  };
}

/** A certificate is checked once a session: connections resume the last one (RFC 8446 §2.2). */
function tlsOpener(
  address: string,
  port: number,
  tls: UpstreamTls,
  protocol: UpstreamProtocol,
): (onread: OnReadOpts | null) => Socket {
  // Not imported, as most have no upstream of this kind: it takes 15 ms of a thread's start.
  const { checkServerIdentity, connect: connectTls } = process.getBuiltinModule('node:tls');
  let session: Buffer | undefined;
  // An IP address is no name to ask for (RFC 6066 §3), but one that a certificate may be for.
  const servername = isIP(tls.serverName) === 0 ? tls.serverName : '';
  return (onread) => {
    const socket: TLSSocket = connectTls({
      host: address,
      port,
      servername,
      ALPNProtocols: [protocol],
      rejectUnauthorized: tls.verify,
      checkServerIdentity: (host, certificate) => checkServerIdentity(tls.serverName || host, certificate),
      ...(tls.ca === null ? {} : { ca: tls.ca }),
      ...(session === undefined ? {} : { session }),
      ...(onread && { onread }),
    });
    socket.on('session', (latest) => {
      session = latest;
    });
    return socket;
  };
}
